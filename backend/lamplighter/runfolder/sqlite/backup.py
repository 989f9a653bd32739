"""Copies of a run's SQLite files while they may be written to.

Never copy such a file byte by byte: part of the committed data is still in its WAL.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import apsw

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.sqlite.database import fetch_all, open_reader

_PAGES = 1_024
"""Pages copied at a time, about 4 MB: between them progress is reported and a cancellation takes effect."""


def back_up(source: Path, target: Path, progress: Callable[[float], None] | None = None) -> None:
    """Copy one SQLite file, live or finished, as of a single moment. The copy has a rollback journal and
    opens anywhere. `progress` gets the fraction done, from 0 to 1; an exception it raises aborts the copy.

    Raises FileNotFoundError if `source` does not exist yet, FormatError if it is damaged, or this version
    cannot read it, OSError if `target` cannot be written, or `source` cannot be read from disk.
    """
    reader = open_reader(source)
    writer = apsw.Connection(str(target))
    try:
        # An open transaction pins all parts to the same moment. Without it, each commit by the trainer
        # would restart the copy, and it would never end.
        fetch_all(reader, "BEGIN")
        fetch_all(reader, "SELECT count(*) FROM sqlite_schema")
        # The copy starts in the journal mode of its source, which its file system may lack (`shared_memory.py`).
        writer.pragma("locking_mode", "exclusive")
        with writer.backup("main", reader, "main") as copying:
            while not copying.done:
                copying.step(_PAGES)
                if progress is not None:
                    progress(1 - copying.remaining / max(1, copying.page_count))
        writer.pragma("journal_mode", "delete")
    except (apsw.FullError, apsw.IOError) as error:
        raise OSError(errno.ENOSPC if isinstance(error, apsw.FullError) else errno.EIO, str(error)) from error
    except apsw.Error as error:
        raise FormatError(f"{source.name} cannot be copied: {error}") from error
    finally:
        writer.close()
        reader.close()


def order_pages(path: Path) -> None:
    """Rewrite a copy so that reading a part of it takes few pages: each table in one stretch, and with a map
    of the pages, by which SQLite comes to the end of a large record without reading through it. Raises
    OSError if there is no room for it.
    """
    connection = apsw.Connection(str(path))
    try:
        connection.pragma("auto_vacuum", 1)
        connection.execute("VACUUM")
    except (apsw.FullError, apsw.IOError) as error:
        raise OSError(errno.ENOSPC if isinstance(error, apsw.FullError) else errno.EIO, str(error)) from error
    finally:
        connection.close()
