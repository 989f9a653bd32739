"""Runs on a file system without shared memory mappings are written and read without a WAL."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

import apsw
import numpy as np
import pytest

import lamplighter
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.reading.run_backup import back_up
from lamplighter.runfolder.sqlite.database import fetch_all, open_reader, open_writer, seal
from lamplighter.runfolder.sqlite.wal import WalKeeper
from tests.support.machine.no_shared_memory import no_shared_memory

V, D = 40, 6
TOKENS = [f"word{i}" for i in range(V)]
READER = """
import sys
import lamplighter
from lamplighter.runfolder.errors import FormatError
from tests.support.machine.no_shared_memory import no_shared_memory

run, seen = None, 0
with no_shared_memory():
    print("reading", flush=True)
    for line in sys.stdin:
        run = run or lamplighter.open(sys.argv[1])
        for step in run.snapshot_steps().tolist():
            assert (run.snapshot(step)[1:] == step).all(), step
        pulses = list(run.steps())
        assert [pulse.loss for pulse in pulses] == list(range(1, len(pulses) + 1))
        print(len(pulses), flush=True)
"""
KILLED = """
import os, sys
from pathlib import Path
from lamplighter.runfolder.sqlite.database import open_writer
from tests.support.machine.no_shared_memory import no_shared_memory

with no_shared_memory():
    connection = open_writer(Path(sys.argv[1]), "CREATE TABLE t(a)")
    with connection:
        connection.execute("INSERT INTO t VALUES(1)")
    connection.execute("PRAGMA cache_size=2")
    connection.execute("BEGIN")
    connection.execute("UPDATE t SET a=2")
    connection.executemany("INSERT INTO t VALUES(?)", [(b"x" * 3_000,)] * 50)
    os._exit(0)
"""


@pytest.fixture
def without() -> Generator[None]:
    with no_shared_memory():
        yield


@pytest.mark.usefixtures("without")
def test_another_process_reads_while_a_run_is_recorded(tmp_path: Path) -> None:
    weights = np.zeros((V, D), dtype=np.float32)
    with (
        subprocess.Popen(
            [sys.executable, "-c", READER, str(tmp_path / "mine")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as reader,
        lamplighter.record(tmp_path / "mine", TOKENS, embedding=weights, keyframe_every=7, on_error="raise") as recorder,
    ):  # fmt: skip
        assert reader.stdin
        assert reader.stdout
        assert reader.stdout.readline() == "reading\n"
        for step in range(1, 61):
            weights[1:] = step
            if step % 3 == 0:
                # Read while this step is being committed.
                reader.stdin.write("\n")
                reader.stdin.flush()
            recorder.step(weights, [1, 2], float(step))
        reader.stdin.close()
        counts = [int(line) for line in reader.stdout]
        assert reader.wait() == 0
        assert len(counts) == 20
        assert counts == sorted(counts)
        assert not list(recorder.folder.glob("*-wal"))
        assert not list(recorder.folder.glob(".*"))
    run = lamplighter.open(tmp_path / "mine")
    assert (run.status.phase, run.status.step) == ("finished", 60)
    np.testing.assert_array_equal(run.snapshot(60), weights)


@pytest.mark.usefixtures("without")
def test_a_loop_does_not_wait_for_a_reader(tmp_path: Path) -> None:
    weights = np.zeros((V, D), dtype=np.float32)
    with lamplighter.record(tmp_path / "mine", TOKENS, embedding=weights, on_error="raise") as recorder:
        reader = open_reader(recorder.folder / "steps.sqlite")
        fetch_all(reader, "BEGIN")
        fetch_all(reader, "SELECT count(*) FROM pulses")
        for step in range(1, 4):
            weights[2] = step
            recorder.step(weights, [2], float(step))
        assert fetch_all(reader, "SELECT count(*) FROM pulses") == [(0,)]
        reader.close()
        weights[3] = 4
        recorder.step(weights, [3], 4.0)
        # Nothing waits any more.
        assert lamplighter.open(recorder.folder).status.step == 4
    run = lamplighter.open(tmp_path / "mine")
    assert [pulse.loss for pulse in run.steps()] == [1, 2, 3, 4]
    assert run.snapshot_steps().tolist() == [0, 4]
    np.testing.assert_array_equal(run.snapshot(4), weights)


@pytest.mark.usefixtures("without")
def test_rolls_back_the_transaction_of_a_killed_writer(tmp_path: Path) -> None:
    path = tmp_path / "some.sqlite"
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=True)
    assert path.with_name("some.sqlite-journal").stat().st_size
    assert fetch_all(open_reader(path), "SELECT a FROM t") == [(1,)]


def test_continues_a_file_left_in_wal_mode_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "some.sqlite"
    writer = open_writer(path, "CREATE TABLE t(a)")
    writer.execute("INSERT INTO t VALUES(1)")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for file in tmp_path.glob("some.sqlite*"):
        if not file.name.endswith("-shm"):
            (moved / file.name).write_bytes(file.read_bytes())
    writer.close()
    with no_shared_memory():
        with pytest.raises(FormatError, match="no shared memory"):
            open_reader(moved / "some.sqlite")
        writer = open_writer(moved / "some.sqlite", "CREATE TABLE t(a)")
        writer.execute("INSERT INTO t VALUES(2)")
        reader = open_reader(moved / "some.sqlite")
        assert fetch_all(reader, "SELECT a FROM t") == [(1,), (2,)]
        reader.close()
        assert seal(writer)
        writer.close()
    assert not list(moved.glob("*-wal"))


def test_backs_up_a_file_in_wal_mode(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "some.sqlite", "CREATE TABLE t(a)")
    writer.execute("INSERT INTO t VALUES(1)")
    reader = open_reader(tmp_path / "some.sqlite")  # Its index of the WAL is mapped by now.
    fetch_all(reader, "SELECT a FROM t")
    with no_shared_memory():
        back_up(tmp_path / "some.sqlite", tmp_path / "copy.sqlite")
        assert fetch_all(open_reader(tmp_path / "copy.sqlite"), "SELECT a FROM t") == [(1,)]
    reader.close()
    writer.close()


def test_rejects_a_folder_that_sqlite_cannot_use_and_leaves_it_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> bool:
        raise apsw.CantOpenError("unable to open database file")

    monkeypatch.setattr("lamplighter.runfolder.sqlite.database.has_shared_memory", refuse)
    before = {*threading.enumerate()}
    with pytest.raises(lamplighter.InputError, match="cannot hold a run: SQLite cannot store a file there"):
        lamplighter.record(tmp_path / "mine", TOKENS, embedding=np.zeros((V, D), dtype=np.float32))
    assert list(tmp_path.iterdir()) == []
    assert {*threading.enumerate()} <= before


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
