"""The steps at which the curves of a run turn."""
