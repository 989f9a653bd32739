"""The smoothed map of a finished run: layouts of all its steps, computed jointly, kept beside the live ones."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import UNTIL_FACT, LayoutsReader

_KNOWN_FILES = 1_024


def read_smoothed_step(run: RunFolder) -> int | None:
    """Return the newest step of the run when its smoothed map was made; None if there is no readable one."""
    try:
        facts = run.relayouts_path.stat()
        return _read_until(run.relayouts_path, facts.st_mtime_ns, facts.st_size)
    except READ_ERRORS:
        return None


def covers_run(run: RunFolder, last: int) -> bool:
    until = read_smoothed_step(run)
    return until is not None and until >= last


@lru_cache(_KNOWN_FILES)
def _read_until(path: Path, _changed: int, _size: int) -> int | None:
    with LayoutsReader(path) as reader:
        until = reader.facts().get(UNTIL_FACT)
        if isinstance(until, int):
            return until
        return max((entry.step for entry in reader.layout_entries()), default=None)
