"""Pure functions on one snapshot of the embedding."""
