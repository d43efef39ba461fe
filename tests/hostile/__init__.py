"""What a hostile or broken far end sends: the line process must live, keep its calls and be ready again."""
