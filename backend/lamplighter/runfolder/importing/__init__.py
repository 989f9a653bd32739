"""Runs from elsewhere: untrusted SQLite files, checked row by row while they are copied."""
