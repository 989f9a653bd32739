"""What can be computed from the record."""
