"""Common parts of all exports: progress, cancellation, one-line errors, and atomic output."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lamplighter.contract.reason import Reason
from lamplighter.platform import failpoint
from lamplighter.platform.folder_sync import rename_durably, sync_tree
from lamplighter.runfolder.preparation import clear_preparations, preparation_folder

ExportProgress = Callable[[float, str], None]
"""A callback that gets the share done, from 0 to 1, and a description. To cancel, raise `Cancelled` in it; no
output is kept."""

_PURPOSE = "lamplighter-export"


class ExportError(ValueError):
    """An error for a failed export or import; the message is one line: why, and what to do."""

    def __init__(self, message: str, reason: Reason | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class MissingPackageError(ExportError):
    """An error for a format that needs a missing package."""


class Cancelled(Exception):
    """An error for an export that its caller cancelled."""


def no_progress(share: float, what: str) -> None:
    """Ignore the progress of an export."""


def sub_progress(progress: ExportProgress, start: float, end: float, what: str) -> Callable[[float], None]:
    """Return a callback that maps progress from 0 to 1 to the range `start` to `end` of another."""
    return lambda share: progress(start + (end - start) * share, what)


@contextmanager
def atomic_output(target: Path) -> Generator[Path]:
    """Yield a path to write to; it becomes `target` if the block succeeds, else it is deleted. Leftovers of
    killed exports beside it go, too. It raises ExportError if `target` exists, or cannot be written.
    """
    if target.exists():
        raise ExportError(f"{target} exists: remove it, or name another place with --out")
    with ExitStack() as stack:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            clear_preparations(target.parent, _PURPOSE)
            # Beside the target, so that renaming is enough, and a small /tmp cannot fill up.
            scratch = stack.enter_context(preparation_folder(target.parent, _PURPOSE))
        except OSError as error:
            why = error.strerror or error
            raise ExportError(
                f"{target.parent.absolute()} cannot be written to: {why}; name another place with --out"
            ) from error
        with failpoint.trigger_within("export"):
            yield scratch / target.name
        failpoint.trigger("export-unnamed")
        sync_tree(scratch / target.name)
        rename_durably(scratch / target.name, target)
