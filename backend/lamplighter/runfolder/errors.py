"""Errors of reading a run, transient and permanent."""

from __future__ import annotations

import os
from pathlib import Path, PurePath

import apsw

from lamplighter.contract.reason import Reason
from lamplighter.contract.sentences import say
from lamplighter.wire.binary import FrameError


class FormatError(ValueError):
    """An error for a file that this version cannot read; the message says why."""


class OutOfReachError(FormatError, OSError):
    """An error for a file that lies elsewhere, where nothing answers now."""


class ReadOnlyFolderError(FormatError):
    """An error for a folder that this process cannot write to; the message says what to do."""


def require_writable(folder: Path) -> None:
    """Check that files can be made in a folder: SQLite does not say why it cannot open one. Raises
    ReadOnlyFolderError if they cannot.
    """
    if folder.exists() and not os.access(folder, os.W_OK):
        raise ReadOnlyFolderError(say("folder_read_only", folder=folder.name))


class NotComparableError(ValueError):
    """An error for two runs that cannot be compared."""

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


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

    A transient error means that the file is busy, is being sealed, or cannot be opened now (too many open files, no
    permission). Any other error means that its contents are unreadable.
    """
    if isinstance(error, _TRANSIENT_ERRORS):
        return True
    cause = error.__cause__
    return isinstance(error, FormatError) and cause not in (None, error) and is_transient(cause)


def is_outage(error: BaseException | None) -> bool:
    """Return whether an error comes from a place that does not answer now."""
    while error is not None and not isinstance(error, OutOfReachError):
        error = error.__cause__ or error.__context__
    return error is not None


def explain_read_error(error: BaseException) -> str:
    """Return why a run cannot be read. Names the file but not its folder, which a remote viewer must not learn."""
    if not isinstance(error, OSError):
        return str(error)
    # Errors that we raise ourselves have the path as their only argument.
    named = error.filename or next((part for part in error.args if isinstance(part, PurePath)), None)
    reason = error.strerror or (
        "it is missing" if isinstance(error, FileNotFoundError) else type(error).__name__
    )
    return f"{PurePath(str(named)).name}: {reason}" if named is not None else reason


class MissingVocabularyError(FileNotFoundError):
    """An error for a run whose text has not been read yet, or whose `vocabulary.json` is gone."""


class NoSnapshotError(LookupError):
    """An error for a step that cannot be rebuilt; `nearest` is the newest earlier step that can, or None."""

    def __init__(self, step: int, nearest: int | None) -> None:
        if nearest is None:
            super().__init__(say("none_kept_exactly", step=step))
        else:
            super().__init__(say("not_kept_exactly", step=step, nearest=nearest))
        self.step = step
        self.nearest = nearest


class MatrixTooLargeError(NoSnapshotError):
    """An error for a matrix that is kept, and too large to be read whole."""

    def __init__(self, step: int, rows: int, width: int) -> None:
        LookupError.__init__(
            self,
            f"the embedding of {rows:,} x {width:,} at step {step} is {4 * rows * width / 1e9:.1f} GB as float32, too large to"
            " be read whole: `lamplighter.open(...).open_snapshot()` reads its rows, and its file is in the run's folder",
        )
        self.step = step
        self.nearest = None


class NoOutputMatrixError(LookupError):
    """An error for a run or a step without an output matrix; the message says why."""
