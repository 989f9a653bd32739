"""A whole run as one zip file, written and read."""
