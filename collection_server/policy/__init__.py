"""What seats are told to do, signed."""
