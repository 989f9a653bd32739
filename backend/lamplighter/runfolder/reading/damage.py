"""The error for a run whose record contradicts itself: it is damaged, or was copied while it was written."""

from __future__ import annotations

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.sqlite.unreadable_file import copy_hint


def describe_damage(run: RunFolder, error: Exception) -> FormatError:
    """Return a readable error, given the one raised by reading the record of `run`."""
    hint = copy_hint(run.steps_path)
    return FormatError(f"{error}" if hint in str(error) else f"{error}{hint}")
