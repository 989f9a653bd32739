"""Worker processes: their supervisor, what every worker has in common, and jobs in child processes."""
