"""Import of untrusted runs: their SQLite files are checked row by row while they are copied."""
