"""A run as a folder; the only room with SQLite."""
