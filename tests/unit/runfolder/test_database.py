"""Values bound to statements: only SQLite's types reach a run's files."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamplighter.runfolder.lineage import step_key
from lamplighter.runfolder.sqlite.database import fetch_all, open_reader, open_writer
from lamplighter.runfolder.tables.tiles import tile_key


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
