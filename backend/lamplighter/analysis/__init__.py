"""Computations from the record of a run: measures and tiles."""
