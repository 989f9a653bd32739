from __future__ import annotations

import os
import time
from pathlib import Path

from lamplighter.runfolder.database import WalKeeper, open_writer


def test_moves_what_was_written_into_the_file_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "growing.sqlite"
    connection = open_writer(path, "CREATE TABLE t(x)")
    keeper = WalKeeper(path, every=0.02, grown=1 << 18)
    for _ in range(100):
        with connection:
            connection.execute("INSERT INTO t VALUES(?)", (os.urandom(50_000),))
        time.sleep(0.005)
    keeper.close()

    assert path.stat().st_size > 3_000_000
    connection.close()
