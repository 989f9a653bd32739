"""Error messages for viewers of a run never name a folder of this machine.

Values bound to statements: only SQLite's types reach a run's files.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamplighter.runfolder.errors import READ_ERRORS, FormatError, explain_read_error
from lamplighter.runfolder.lineage import step_key
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.sqlite.database import fetch_all, open_reader, open_writer
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.tables.tiles import tile_key
from lamplighter.serving.live.viewer import close_code_for
from lamplighter.serving.reading.run_catalog import RunCatalog


def damage(path: Path) -> None:
    path.write_bytes(b"no database" * 1_000)


@pytest.mark.parametrize(
    ("spoil", "read"),
    [
        (None, lambda folder: StepsReader(folder / "steps.sqlite")),
        (damage, lambda folder: StepsReader(folder / "steps.sqlite")),
        (Path.mkdir, lambda folder: StepsReader(folder / "steps.sqlite")),
        (None, lambda folder: (folder / "steps.sqlite").read_bytes()),
        (Path.mkdir, lambda folder: (folder / "steps.sqlite").read_bytes()),
        (None, lambda folder: RunFolder(folder).vocabulary),
    ],
    ids=[
        "no table",
        "no database",
        "a folder for a table",
        "no file",
        "a folder for a file",
        "no vocabulary",
    ],
)
def test_no_message_contains_a_path(
    tmp_path: Path, spoil: Callable[[Path], None] | None, read: Callable[[Path], object]
) -> None:
    if spoil is not None:
        spoil(tmp_path / "steps.sqlite")
    with pytest.raises(READ_ERRORS) as caught:
        read(tmp_path)
    for reason in (explain_read_error(caught.value), close_code_for(caught.value)[1]):
        assert str(tmp_path.parent) not in reason
        assert "/" not in reason.replace("I/O", "")
        assert reason


def test_messages_name_the_file_and_the_cause() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/home/user/runs/a/steps.sqlite")
    assert explain_read_error(full) == "steps.sqlite: No space left on device"
    assert explain_read_error(FileNotFoundError(Path("/home/user/a.npy"))) == "a.npy: it is missing"
    assert explain_read_error(OSError(errno.EMFILE, "Too many open files")) == "Too many open files"
    assert explain_read_error(FormatError("recipe.json: no object")) == "recipe.json: no object"


def test_lists_an_unreadable_run_without_its_folder(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (listed,) = RunCatalog(RunStore(tmp_path)).list_runs(RunStore(tmp_path).runs())
    found = listed.summary
    assert not found.readable
    assert found.problem
    assert str(tmp_path) not in found.problem


def test_stores_numpy_integers_as_integers(tmp_path: Path) -> None:
    path = tmp_path / "some.sqlite"
    writer = open_writer(path, "CREATE TABLE t(a, b)")
    kinds = (np.int8, np.uint8, np.int32, np.uint32, np.int64, np.uint64, np.array)
    writer.execute("INSERT INTO t VALUES(?,?)", (np.int64(0), np.float64(0.5)))
    writer.executemany("INSERT INTO t VALUES(?,?)", ((kind(i), "x") for i, kind in enumerate(kinds, 1)))
    reader = open_reader(path)
    rows = fetch_all(reader, "SELECT a, b, typeof(a) FROM t ORDER BY rowid")
    assert rows == [(0, 0.5, "integer"), *((i, "x", "integer") for i in range(1, len(kinds) + 1))]
    assert fetch_all(reader, "SELECT max(a) FROM t WHERE a<=?", (np.int64(3),)) == [(3,)]
    reader.close()
    writer.close()


@pytest.mark.parametrize("value", [np.float32(1), np.arange(2), np.bool_(True), Decimal(1), Path("x"), [1]])
def test_rejects_types_that_sqlite_lacks(value: Any, tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "some.sqlite", "CREATE TABLE t(a)")
    with pytest.raises(TypeError, match=type(value).__name__):
        writer.execute("INSERT INTO t VALUES(?)", (value,))
    with pytest.raises(TypeError, match=type(value).__name__), writer:
        writer.executemany("INSERT INTO t VALUES(?)", [(1,), (value,)])
    with pytest.raises(TypeError, match=type(value).__name__):
        fetch_all(writer, "SELECT a FROM t WHERE a=?", (value,))
    assert fetch_all(writer, "SELECT count(*) FROM t") == [(0,)]
    writer.close()


def test_a_row_id_of_numpy_integers_does_not_overflow() -> None:
    for kind in (np.int32, np.uint32, np.int64):
        assert step_key(kind(3), kind(7)) == 3 << 32 | 7
        assert tile_key(kind(300), kind(7)) == 300 << 24 | 7
        assert type(step_key(kind(3), kind(7))) is int
