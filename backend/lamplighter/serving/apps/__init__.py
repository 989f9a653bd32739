"""The applications that answer requests: of the presenter, of a class, and for reading alone."""
