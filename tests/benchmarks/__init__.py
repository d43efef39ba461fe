"""Speed and weight, measured on the real parts. ``make bench`` runs all and prints one JSON object."""
