"""What can go wrong from Python. Each message is one line a person can act on."""

from __future__ import annotations


class InputError(ValueError):
    """What was given cannot be used: a folder, a vocabulary, a matrix, ids."""


class NoSuchTokenError(LookupError):
    """The run's vocabulary has no such token."""


class NoLayoutError(LookupError):
    """There is no such layout at or before that step yet."""


class NotBegunError(LookupError):
    """Nothing is recorded of the run yet."""


class LiveError(ConnectionError):
    """The live run cannot be followed, or not any more; trying again by itself would not help."""
