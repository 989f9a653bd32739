"""The Python API: read a run, follow a live one, record a training loop. Imports no heavy modules."""
