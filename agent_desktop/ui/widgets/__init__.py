"""Small widgets and painting functions that every window shares."""
