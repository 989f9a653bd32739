"""Run folders: reading and writing the files of a run. The only package that uses SQLite."""
