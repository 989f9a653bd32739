"""Worker processes: their supervisor, the parts that all workers share, and jobs in child processes."""
