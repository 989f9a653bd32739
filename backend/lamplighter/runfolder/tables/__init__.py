"""The tables of a run folder's databases, a module for each file or concern."""
