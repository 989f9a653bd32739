"""Finished runs written to an object store."""
