from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lamplighter.runfolder.sqlite.database import open_writer
from lamplighter.runfolder.sqlite.wal import WalKeeper

WITHOUT_DESCRIPTORS = """
import os, resource, sys, time
from pathlib import Path
from lamplighter.runfolder.sqlite.database import open_writer
from lamplighter.runfolder.sqlite.wal import WAL_LIMIT, WalKeeper

path = Path(sys.argv[1])
connection = open_writer(path, "CREATE TABLE t(x)")
wal = path.with_name(path.name + "-wal")
keeper = WalKeeper(path, interval=0.02, min_bytes=1 << 18)

def write():
    with connection:
        connection.execute("INSERT INTO t VALUES(?)", (os.urandom(50_000),))

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
taken = []
try:
    while True:
        taken.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    pass
while wal.stat().st_size <= WAL_LIMIT + (1 << 20):
    write()
time.sleep(0.3)  # fifteen attempts at a checkpoint
assert wal.stat().st_size > WAL_LIMIT, "checkpointed without a descriptor"
for descriptor in taken:
    os.close(descriptor)

until = time.monotonic() + 10
while wal.stat().st_size > WAL_LIMIT and time.monotonic() < until:
    time.sleep(0.02)
most = 0
for _ in range(200):
    write()
    most = max(most, wal.stat().st_size)
    time.sleep(0.002)
keeper.close()
print(most, path.stat().st_size)
"""


def test_checkpoints_while_the_wal_grows(tmp_path: Path) -> None:
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


def test_recovers_after_running_out_of_descriptors(tmp_path: Path) -> None:
    path = tmp_path / "short.sqlite"
    command = [sys.executable, "-c", WITHOUT_DESCRIPTORS, str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    largest_wal, file = map(int, ended.stdout.split())
    assert file > 2 * largest_wal


def test_logs_a_damaged_file_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "damaged.sqlite"
    connection = open_writer(path, "CREATE TABLE t(x)")
    with connection:
        connection.execute("INSERT INTO t VALUES(?)", (os.urandom(50_000),))
    connection.wal_checkpoint()
    path.with_name(path.name + "-wal").write_bytes(bytes(1 << 19))
    path.write_bytes(b"no database" * 1_000)
    with caplog.at_level(logging.WARNING):
        keeper = WalKeeper(path, interval=0.01, min_bytes=1 << 18)
        until = time.monotonic() + 10
        while not caplog.records and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.1)
        keeper.close()

    (record,) = caplog.records
    assert record.getMessage().startswith("damaged.sqlite cannot be checkpointed: ")
    connection.close()
