"""QA: find recordings, look at them and replay them."""
