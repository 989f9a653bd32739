"""Fragments: the record of a run in immutable files, for readers on other machines."""
