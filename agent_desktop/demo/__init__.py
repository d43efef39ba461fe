"""The product working on one machine: embedded server, practice line, seats, and a scenario on the real window."""
