"""Failed writes of a run's files that can succeed later."""

from __future__ import annotations

import apsw

from lamplighter.runfolder.writing.free_space import DISK_FULL_ERRORS

WRITE_ERRORS = (apsw.Error, OSError)
"""Errors that a write may raise."""
NOT_NOW = (*DISK_FULL_ERRORS, apsw.BusyError)
"""Errors of a write that can succeed later: the disk is full, or a reader holds a file without a WAL."""


def explain_failed_write(error: Exception) -> str:
    """Return a readable reason why nothing can be written, given one of `NOT_NOW`."""
    if isinstance(error, apsw.BusyError):
        return "a reader holds the run's file, and its file system has no shared memory"
    return f"the disk is full ({error})"
