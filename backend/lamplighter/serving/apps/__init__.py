"""The applications that answer requests: for the presenter, for a class, and for reading only."""
