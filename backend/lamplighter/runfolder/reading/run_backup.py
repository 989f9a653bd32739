"""Copies of a run's folder, and of its SQLite files, made while the run may be written to.

Never copy such a file byte by byte: part of the committed data is still in its WAL.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import apsw

from lamplighter.platform.folder_sync import rename_durably, sync_file
from lamplighter.platform.private_modes import make_private_folder, restrict_like_folder
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.preparation import preparation_folder
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import NAME_FILE, PLAIN_NAME_FILE
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
        # The copy starts in the journal mode of its source, which its file system may lack (`wal.py`).
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


TEXTS = ("recipe.json", NAME_FILE, "source.txt", "corpus.json", "tokeniser.json", "vocabulary.json")
CORPORA = ("corpus.npy", "held-out.npy", "landmarks.npy")
DATABASES = (
    "examinations.sqlite",
    "layouts.sqlite",
    "relayouts.sqlite",
    "output-layouts.sqlite",
    "measures.sqlite",
    "steps.sqlite",
    "tiles.sqlite",
)
"""Databases in the order they are copied: the steps after answers, layouts and measures, so that these never refer to
a missing step, and before the tiles, so that rows pruned from the steps are in the tiles."""


def back_up_run(run: RunFolder, target: Path) -> None:
    """Copy a run, live or finished, which must have started, without the states of its model. The copy
    appears complete or not at all. Raises FormatError if a file is damaged, or of a newer version, OSError
    if the copy cannot be written.
    """
    make_private_folder(target.parent, parents=True, exist_ok=True)
    with preparation_folder(target.parent, "making") as folder:
        making = folder / "run"
        make_private_folder(making)
        for name in (*TEXTS, PLAIN_NAME_FILE, *CORPORA):
            with suppress(FileNotFoundError):
                shutil.copyfile(run.path / name, making / name)
        for name in DATABASES:
            with suppress(FileNotFoundError):
                back_up(run.path / name, making / name)
        for source in run.matrix_paths():
            target_folder = making / source.parent.name
            make_private_folder(target_folder, exist_ok=True)
            shutil.copyfile(source, target_folder / source.name)
        for path in making.rglob("*"):
            if path.is_file():
                restrict_like_folder(path)
                sync_file(path)
        rename_durably(making, target)
