from __future__ import annotations

import os
import time
from pathlib import Path

from lamplighter.runfolder.database import WalKeeper, open_writer


def test_keeps_the_wal_small_while_the_file_grows(tmp_path: Path) -> None:
    path = tmp_path / "growing.sqlite"
    connection = open_writer(path, "CREATE TABLE t(x)")
    keeper = WalKeeper(path, every=0.02, grown=1 << 18)
    for _ in range(100):
        with connection:
            connection.execute("INSERT INTO t VALUES(?)", (os.urandom(50_000),))
        time.sleep(0.005)
    keeper.close()
    wal = path.with_name(path.name + "-wal").stat().st_size
    assert path.stat().st_size > 3_000_000
    assert wal < 2_500_000
    connection.close()
