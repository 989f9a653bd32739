"""Errors of the Python API. Each message is one line that says what to do."""

from __future__ import annotations


class InputError(ValueError):
    """An argument that cannot be used: a folder, a vocabulary, a matrix, ids."""


class NoSuchTokenError(LookupError):
    """A token that the run's vocabulary lacks."""


class NoLayoutError(LookupError):
    """There is no layout at or before the step yet."""


class NotBegunError(LookupError):
    """No step of the run is recorded yet."""


class ExaminationError(RuntimeError):
    """A question about a run's model that got no answer."""


class TrainingError(RuntimeError):
    """A training that failed; the run stays, and its record says why."""


class LiveError(ConnectionError):
    """A live run cannot be followed, or no longer; an automatic retry would not help."""


class RecordWarning(UserWarning):
    """A warning about a record: it ended before its loop, or its steps are inconsistent."""
