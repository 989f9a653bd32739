"""The Python API: read a run, follow a live one, record one's own training loop. Imports nothing heavy."""
