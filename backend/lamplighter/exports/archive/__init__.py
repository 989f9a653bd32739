"""Writing and reading a whole run as one zip file."""
