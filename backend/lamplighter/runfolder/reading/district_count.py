"""The number of districts found in a run's embedding by the last search."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from lamplighter.runfolder.errors import READ_ERRORS, is_outage
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import decode

_KNOWN_FILES = 1_024


def count_districts(run: RunFolder) -> int | None:
    """Return the number of a run's districts; None before the first search, or if the map cannot be read.
    Raises OutOfReachError if the map lies elsewhere, where nothing answers now.
    """
    try:
        path = run.layouts_path
        return _count(path, _version(path), _version(path.with_name(path.name + "-wal")))
    except READ_ERRORS as error:
        if is_outage(error):
            raise
        return None


def last_districts(reader: LayoutsReader) -> Districts | None:
    """Return the districts found last, in any attempt; None before the first search. Raises FrameError if the
    record is damaged.
    """
    record = reader.last_written_districts()
    districts = None if record is None else decode(record)
    return districts if isinstance(districts, Districts) else None


@lru_cache(_KNOWN_FILES)
def _count(path: Path, _version: object, _wal: object) -> int | None:
    with LayoutsReader(path) as reader:
        districts = last_districts(reader)
    return None if districts is None else len(districts.ids)


def _version(path: Path) -> tuple[int, int] | None:
    """Return a value that changes with a file; None if there is no file."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return facts.st_mtime_ns, facts.st_size
