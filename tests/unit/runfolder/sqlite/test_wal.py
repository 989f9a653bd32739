from __future__ import annotations

import os
import time
from pathlib import Path

from lamplighter.runfolder.sqlite.database import open_writer
from lamplighter.runfolder.sqlite.wal import WalKeeper


def test_moves_what_was_written_into_the_file_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "growing.sqlite"
    connection = open_writer(path, "CREATE TABLE t(x)")
    keeper = WalKeeper(path, interval=0.02, min_bytes=1 << 18)
    for _ in range(100):
        with connection:
            connection.execute("INSERT INTO t VALUES(?)", (os.urandom(50_000),))
        time.sleep(0.005)
    keeper.close()

    assert path.stat().st_size > 3_000_000
    connection.close()


def test_bounds_the_wal_of_a_writer_that_never_rests(tmp_path: Path) -> None:
    path = tmp_path / "busy.sqlite"
    connection = open_writer(path, "CREATE TABLE t(x)")
    keeper = WalKeeper(path, interval=0.02, min_bytes=1 << 18)
    wal = path.with_name(path.name + "-wal")
    most, until = 0, time.monotonic() + 2
    while time.monotonic() < until:
        with connection:
            connection.execute("INSERT INTO t VALUES(?)", (os.urandom(50_000),))
        most = max(most, wal.stat().st_size)
    keeper.close()

    assert path.stat().st_size > 2 * most
    connection.close()
