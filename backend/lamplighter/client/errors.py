"""Errors of the Python API. Each message is one line a person can act on."""

from __future__ import annotations


class InputError(ValueError):
    """An argument that cannot be used: a folder, a vocabulary, a matrix, ids."""


class NoSuchTokenError(LookupError):
    """A token that the run's vocabulary lacks."""


class NoLayoutError(LookupError):
    """A layout that does not exist at or before the step yet."""


class NotBegunError(LookupError):
    """A run of which nothing is recorded yet."""


class ExaminationError(RuntimeError):
    """A question about a run's model that got no answer."""


class LiveError(ConnectionError):
    """A live run that cannot be followed, or not any more; an automatic retry would not help."""


class RecordWarning(UserWarning):
    """A warning about a record: it ended before its loop did, or the steps that it is given contradict themselves."""
