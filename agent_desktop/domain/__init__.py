"""Plain types and rules of collection work. Knows no database, network, clock or window."""
