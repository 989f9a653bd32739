"""Errors of reading a run, and which of them are transient rather than permanent."""

from __future__ import annotations

from pathlib import PurePath

import apsw

from lamplighter.wire.binary import FrameError


class FormatError(ValueError):
    """An error for a file that this version cannot read; the message says why."""


READ_ERRORS = (FormatError, FrameError, OSError, apsw.Error)
"""Errors that reading a run's files may raise."""

_TRANSIENT_ERRORS = (
    OSError,
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.FullError,
    apsw.InterruptError,
    apsw.IOError,
    apsw.LockedError,
    apsw.NoMemError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.ReadOnlyError,
    apsw.SchemaChangeError,
)


def is_transient(error: BaseException) -> bool:
    """Return whether the same read may succeed later.

    A transient error means that the file is busy or being sealed, or cannot be opened now (too many open
    files, no permission). Otherwise its contents cannot be read.
    """
    if isinstance(error, FormatError) and error.__cause__ not in (None, error):
        return is_transient(error.__cause__)  # pyright: ignore[reportArgumentType]
    return isinstance(error, _TRANSIENT_ERRORS)


def explain_read_error(error: BaseException) -> str:
    """Return why a run cannot be read, naming a file but never its folder: whoever may see a run need not know where on
    this machine it lies.
    """
    if not isinstance(error, OSError):
        return str(error)
    # An error that we raise ourselves has the path as its only argument.
    named = error.filename or next((part for part in error.args if isinstance(part, PurePath)), None)
    reason = error.strerror or (
        "it is missing" if isinstance(error, FileNotFoundError) else type(error).__name__
    )
    return f"{PurePath(str(named)).name}: {reason}" if named is not None else reason


class MissingVocabularyError(FileNotFoundError):
    """A run whose text has not been read yet, or whose `vocabulary.json` is gone."""
