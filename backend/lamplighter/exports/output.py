"""The parts that all exports share: progress, cancellation, errors of one line, and output that appears
atomically."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lamplighter.platform import failpoint
from lamplighter.platform.folder_sync import rename_durably, sync_tree
from lamplighter.runfolder.preparation import clear_preparations, preparation_folder

ExportProgress = Callable[[float, str], None]
"""A callback that gets the share done, from 0 to 1, and a description. To cancel, raise `Cancelled` in it; no
output is kept."""

_PURPOSE = "lamplighter-export"


class ExportError(ValueError):
    """A failed export or import; the message is one line: why, and what to do."""


class MissingPackageError(ExportError):
    """A format that needs a package which is not installed."""


class Cancelled(Exception):
    """The cancellation of an export by its caller."""


def no_progress(share: float, what: str) -> None:
    """Ignore the progress of an export."""


def sub_progress(progress: ExportProgress, start: float, end: float, what: str) -> Callable[[float], None]:
    """Return a progress callback from 0 to 1 that reports to another as its part from `start` to `end`."""
    return lambda share: progress(start + (end - start) * share, what)


@contextmanager
def atomic_output(target: Path) -> Generator[Path]:
    """Yield a path to write to (as a file or a folder); it becomes `target` when the block succeeds, else it
    is deleted. What killed exports left in the target's folder is deleted, too.

    Raises:
        ExportError: `target` already exists, or its folder cannot be written to.
    """
    if target.exists():
        raise ExportError(f"{target} is there already: remove it, or name another place with --out")
    with ExitStack() as stack:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            clear_preparations(target.parent, _PURPOSE)
            # Beside the target, so that renaming is enough, and a small /tmp cannot fill up.
            scratch = stack.enter_context(preparation_folder(target.parent, _PURPOSE))
        except OSError as error:
            raise ExportError(f"{target.parent} cannot be written to: {error.strerror or error}") from error
        with failpoint.trigger_within("export"):
            yield scratch / target.name
        failpoint.trigger("export-unnamed")
        sync_tree(scratch / target.name)
        rename_durably(scratch / target.name, target)
