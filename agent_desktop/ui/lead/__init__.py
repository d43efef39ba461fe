"""Team lead: the wallboard and listening in."""
