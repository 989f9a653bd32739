"""The error for a run whose record contradicts itself: damaged, or a copy made while it was written."""

from __future__ import annotations

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.sqlite.unreadable_file import copy_hint


def describe_damage(run: RunFolder, error: Exception) -> FormatError:
    """Return the error for people, given the one that reading the record of `run` raised."""
    hint = copy_hint(run.steps_path)
    return FormatError(f"{error}" if hint in str(error) else f"{error}{hint}")
