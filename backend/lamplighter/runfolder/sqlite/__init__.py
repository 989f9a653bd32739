"""SQLite plumbing: connections, formats, WAL checkpoints, backups."""
