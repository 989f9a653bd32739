"""Copying a SQLite file of a run that may be written to at this moment.

Never copy such a file by its bytes: what is committed lies partly in its WAL.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw

from lamplighter.runfolder.database import FormatError, fetch_all, open_reader

_PAGES = 1_024
"""Copied at a time: some 4 MB, so that progress is told and a cancel is heard."""


def back_up(source: Path, target: Path, progress: Callable[[float], None] | None = None) -> None:
    """Copy one SQLite file as it is at one moment; the copy has a rollback journal and opens anywhere.

    Args:
        source: live or finished.
        target: must not exist.
        progress: told the share done, from 0 to 1; what it raises ends the copy.

    Raises:
        FileNotFoundError: there is no such file yet.
        FormatError: this version cannot read it, or it is damaged.
    """
    reader = open_reader(source)
    writer = apsw.Connection(str(target))
    try:
        # With a transaction open every part is of the same moment; without one, each commit of the
        # trainer would start the copy anew, and it would never end.
        fetch_all(reader, "BEGIN")
        fetch_all(reader, "SELECT count(*) FROM sqlite_schema")
        with writer.backup("main", reader, "main") as copying:
            while not copying.done:
                copying.step(_PAGES)
                if progress is not None:
                    progress(1 - copying.remaining / max(1, copying.page_count))
        writer.pragma("journal_mode", "delete")
    except apsw.Error as error:
        raise FormatError(f"{source.name} cannot be copied: {error}") from error
    finally:
        writer.close()
        reader.close()
