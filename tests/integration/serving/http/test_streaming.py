"""Large answers over a real connection: read completely, abandoned halfway, or never read on."""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable

import numpy as np
import pytest

from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.http.problems import RefusedError
from lamplighter.serving.http.streaming import LargeResponseLimiter
from tests.integration.serving.served import ServerThread
from tests.unit.serving.folders import D, FakeTrainer, V, make_run

STEPS = 4_000
SIZE = (STEPS + 1) * V * D * 4


@pytest.fixture
def path(served: ServerThread) -> str:
    """Make a run too large for the buffers on the way. Returns the path of all its matrices."""
    trainer = FakeTrainer(make_run(RunStore(served.services.settings.runs))).begin()
    with trainer.writer.transaction():
        trainer.train(STEPS)
    trainer.crash()
    return f"/api/runs/{trainer.run.id}/vectors?attempt=1&to={STEPS}"


def free(limiter: LargeResponseLimiter) -> int:
    leaving: list[Callable[[], None]] = []
    try:
        while len(leaving) < 100:
            leaving.append(limiter.acquire())
    except RefusedError:
        pass
    for leave in leaving:
        leave()
    return len(leaving)


def wait_until_free(limiter: LargeResponseLimiter, slots: int) -> None:
    deadline = time.monotonic() + 30
    while free(limiter) < slots:
        assert time.monotonic() < deadline, "the places were not given back"


def slow_reader(served: ServerThread, path: str) -> socket.socket:
    """Send a request and read only the beginning of the answer. Returns the open socket."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    reader.settimeout(30)
    reader.connect(("127.0.0.1", served.port))
    reader.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode())
    assert reader.recv(100).startswith(b"HTTP/1.1 200")
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


def test_who_leaves_in_the_middle_keeps_no_place(served: ServerThread, path: str) -> None:
    slots = free(served.services.response_limiter)
    readers = [slow_reader(served, path) for _ in range(slots)]
    assert free(served.services.response_limiter) == 0
    for reader in readers:
        reader.close()
    wait_until_free(served.services.response_limiter, slots)


def test_who_stops_reading_is_left(served: ServerThread, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamplighter.serving.http.streaming._SEND_SECONDS", 1.0)
    slots = free(served.services.response_limiter)
    with slow_reader(served, path) as reader:
        wait_until_free(served.services.response_limiter, slots)
        got = 0
        try:
            while data := reader.recv(1 << 16):
                got += len(data)
        except ConnectionResetError:
            pass
        assert got < SIZE
