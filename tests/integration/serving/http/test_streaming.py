"""Large answers over a real connection: read completely, slowly, halfway, or not at all."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_store import RunStore
from lamplighter.web.settings import ServerSettings
from tests.support.folders import D, FakeTrainer, V, make_run
from tests.support.served import ServerThread
from tests.support.waiting import wait_until

STEPS = 2_500
SIZE = (STEPS + 1) * V * D * 4


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def served(runs: Path) -> Iterator[ServerThread]:
    server = ServerThread(ServerSettings(runs, port=0, roles=())).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def path(runs: Path) -> str:
    """Make a run too large for the buffers on the way. Returns the path of all its matrices."""
    trainer = FakeTrainer(make_run(RunStore(runs))).begin()
    with trainer.writer.transaction():
        trainer.train(STEPS)
    trainer.crash()
    return f"/api/runs/{trainer.run.id}/vectors?attempt=1&to={STEPS}"


def slow_reader(served: ServerThread, path: str) -> socket.socket:
    """Send a request and read only the beginning of the answer. Returns the open socket."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    reader.settimeout(30)
    reader.connect(("127.0.0.1", served.port))
    reader.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode())
    begun = reader.recv(100)
    if not begun.startswith(b"HTTP/1.1 200"):
        reader.close()
        raise AssertionError(begun)
    return reader


def test_read_whole(served: ServerThread, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    connection.request("HEAD", path)
    head = connection.getresponse()
    assert head.read() == b""
    assert int(head.headers["content-length"]) > SIZE
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    assert len(body) == int(answer.headers["content-length"]) == int(head.headers["content-length"])
    assert np.load(io.BytesIO(body)).shape == (STEPS + 1, V, D)
    connection.request("GET", path, headers={"If-None-Match": answer.headers["etag"]})
    again = connection.getresponse()
    assert (again.status, again.read()) == (304, b"")
    connection.close()


def get(served: ServerThread, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_slow_readers_of_large_answers_keep_nothing_from_others(served: ServerThread, path: str) -> None:
    limiter, answers = served.services.body_slots, served.services.response_cache
    limiter.wait_seconds = 60
    # Different answers: each has to be made.
    with contextlib.ExitStack() as leaving:
        readers = [leaving.enter_context(slow_reader(served, f"{path}&from={first}")) for first in range(5)]
        wait_until(lambda: answers.made == 5, "the answers were not made to their ends")
        assert limiter.free == 4
        for first in range(8, 10):
            status, body = get(served, f"{path}&from={first}")
            assert (status, np.load(io.BytesIO(body)).shape) == (200, (STEPS + 1 - first, V, D))
        # Those who read on get all of it.
        got = 100
        while got < SIZE:
            data = readers[0].recv(1 << 16)
            assert data
            got += len(data)


def test_an_abandoned_answer_is_not_completed(
    served: ServerThread, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = threading.Event()
    ended: list[int] = []
    plain = MatrixHistory.snapshots

    def slowly(self: MatrixHistory, *span: int) -> Any:
        try:
            for snapshot in plain(self, *span):
                assert snapshot.step < STEPS // 2 or left.wait(30)
                yield snapshot
        finally:
            ended.append(snapshot.step)

    monkeypatch.setattr(MatrixHistory, "snapshots", slowly)
    limiter = served.services.body_slots
    slow_reader(served, path).close()
    wait_until(lambda: served.connections() == 0, "the connection is still open")
    left.set()
    wait_until(lambda: limiter.free == 4 and bool(ended), "the slot was not given back")
    assert ended[0] < STEPS


def test_a_client_that_stops_reading_is_dropped_with_unsent_data(served: ServerThread, path: str) -> None:
    pace = served.services.pace
    pace.longest_pause = 0.5
    with slow_reader(served, path), slow_reader(served, "/vendor/plotly.min.js"):
        wait_until(lambda: pace.dropped == 2, "no client was dropped")
        wait_until(lambda: served.connections() == 0, "the connections are still open")


def test_a_slow_reader_is_eventually_dropped(
    served: ServerThread, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    pace = served.services.pace
    pace.rate, pace.grace_seconds = 1e8, 0.2
    with slow_reader(served, path) as reader:
        got = 0
        with contextlib.suppress(ConnectionResetError):
            while data := reader.recv(1 << 14):
                got += len(data)
                time.sleep(0.02)
        assert got < SIZE
    assert pace.dropped == 1
    # A line for each who is dropped would fill the disk.
    assert caplog.text == ""


def test_unread_files_are_not_held_in_memory(served: ServerThread) -> None:
    """Scripts of 1.2 MB for 20 connections that read nothing take less than a piece or two each."""
    assert get(served, "/vendor/plotly.min.js")[0] == 200
    before = psutil.Process().memory_info().rss
    readers = [slow_reader(served, "/vendor/plotly.min.js") for _ in range(20)]
    time.sleep(0.5)
    grown = psutil.Process().memory_info().rss - before
    for reader in readers:
        reader.close()
    assert grown < 20 * 250_000
