"""Finished runs in an object store: what is published of one, and how it is read in place."""
