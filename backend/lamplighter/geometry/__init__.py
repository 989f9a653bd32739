"""Pure functions of one snapshot of the embedding."""
