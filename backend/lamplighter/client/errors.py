"""Errors of the Python API, each one line that says what to do, and two guards that raise them."""

from __future__ import annotations

import operator
from collections.abc import Generator
from contextlib import contextmanager
from typing import SupportsIndex, cast


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


def whole_number(value: object, name: str, least: int | None = 0, most: int | None = None) -> int:
    """Return a whole number of any kind (Python's, numpy's, a tensor of one number) as an `int`. `name`
    begins the messages.

    Raises InputError if it is not one (a float, a bool, a text), or below `least` or above `most`; None: any.
    """
    try:
        # A bool has `__index__` too, but as a step or an id it is a mistake.
        if isinstance(value, bool):
            raise TypeError
        number = int(operator.index(cast(SupportsIndex, value)))
    except TypeError:
        raise InputError(
            f"{name}: {str(value)[:80]} is not a whole number but of type {type(value).__name__}"
        ) from None
    if least is not None and number < least:
        raise InputError(f"{name}: {number} is too small: at least {least}")
    if most is not None and number > most:
        raise InputError(f"{name}: {number} is too large: at most {most}")
    return number


@contextmanager
def require_whole_application(what: str) -> Generator[None]:
    """Guard the imports inside for `what`, which begins the message: a missing one raises an ImportError with
    the line to type."""
    try:
        yield
    except ModuleNotFoundError as error:
        message = f"{what} needs the whole application: pip install . in a checkout of Lamplighter"
        raise ImportError(message, name=error.name) from error
