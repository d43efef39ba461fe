"""The product working on one machine: embedded server, practice line, seats, and a scenario played on the real window."""
