"""What every export shares: telling how far it is, being cancelled, and one line when it cannot be done."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from lamplighter.runfolder import failpoint

Progress = Callable[[float, str], None]
"""Told a share from 0 to 1 and what is being done. Raise `Cancelled` in it to cancel: nothing is left."""


class ExportError(ValueError):
    """It cannot be exported, or imported; the message is one line: why, and what to do."""


class Cancelled(Exception):
    """Somebody no longer wants the export."""


def silent(share: float, what: str) -> None:
    """A `Progress` for whoever needs none."""


def part_of(progress: Progress, start: float, end: float, what: str) -> Callable[[float], None]:
    """A progress from 0 to 1 as the stretch from `start` to `end` of another."""
    return lambda share: progress(start + (end - start) * share, what)


@contextmanager
def whole_or_not(target: Path) -> Generator[Path]:
    """A path to write to (as a file or a folder); it becomes `target` when the block ends, else nothing stays.

    Raises:
        ExportError: `target` is there already, or its folder cannot be written to.
    """
    if target.exists():
        raise ExportError(f"{target} is there already: remove it, or name another place with --out")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target: to rename is then enough, and a small /tmp cannot fill up.
        scratch = Path(tempfile.mkdtemp(prefix=".lamplighter-", dir=target.parent))
    except OSError as error:
        raise ExportError(f"{target.parent} cannot be written to: {error.strerror}") from error
    try:
        with failpoint.within("export"):
            yield scratch / target.name
        failpoint.here("export-unnamed")
        (scratch / target.name).rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
