"""Connections of a real server: their deadlines, their number, and what a viewer may send."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websockets

from lamplighter.runfolder.run_store import RunStore
from lamplighter.web.connections.limits import ConnectionLimits
from lamplighter.web.settings import ServerSettings
from lamplighter.wire.row_frames import Census
from tests.support.folders import FakeTrainer, make_run
from tests.support.served import ServerThread, beat_at, receive_until
from tests.support.waiting import wait_until

pytestmark = pytest.mark.anyio

LIMITS = ConnectionLimits(total=40, head_seconds=0.4, body_seconds=0.4, body_rate=1_000, close_seconds=0.2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[ServerThread]:
    server = ServerThread(ServerSettings(folder, port=0, roles=()), LIMITS).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def trainer(folder: Path) -> Iterator[FakeTrainer]:
    trainer = FakeTrainer(make_run(RunStore(folder))).begin().train(3)
    yield trainer
    trainer.crash()


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Check that nothing a client did here left a line in the log."""
    with caplog.at_level(logging.WARNING):
        yield
    assert caplog.get_records("call") == []


class Client:
    """A client that writes bytes as they are and reads until the server closes."""

    def __init__(self, server: ServerThread, *sent: bytes) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port))
        self._socket.settimeout(5)
        self._host = f"Host: 127.0.0.1:{server.port}\r\n".encode()
        self.token = server.ready.token
        for data in sent:
            self.send(data)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def request(self, line: str, *headers: str, body: bytes = b"") -> None:
        lines = "".join(f"{header}\r\n" for header in headers).encode()
        self.send(line.encode() + b" HTTP/1.1\r\n" + self._host + lines + b"\r\n" + body)

    def read(self) -> bytes:
        """Return everything up to the end of the connection."""
        heard = b""
        with self._socket:
            try:
                while data := self._socket.recv(65_536):
                    heard += data
            except ConnectionResetError:
                pass
        return heard

    def status(self) -> int:
        """Return the status of an answer of `/healthz`, without waiting for the connection's end."""
        heard = b""
        while not heard.endswith(b"}"):
            heard += self._socket.recv(65_536)
        return int(heard.split()[1])

    def close(self) -> None:
        self._socket.close()

    @property
    def bearer(self) -> str:
        return f"Authorization: Bearer {self.token}"


def test_a_head_that_does_not_come_ends_the_connection(server: ServerThread) -> None:
    before = server.services.connections.late_heads
    silent, half = Client(server), Client(server, b"GET /heal")
    assert silent.read() == b""
    assert half.read().startswith(b"HTTP/1.1 408 ")
    second = Client(server)
    second.request("GET /healthz")
    assert second.status() == 200
    second.send(b"GET /heal")
    assert second.read().startswith(b"HTTP/1.1 408 ")
    assert server.services.connections.late_heads == before + 3


def test_a_head_in_drops_gains_no_time(server: ServerThread) -> None:
    before = server.services.connections.late_heads
    client = Client(server, b"GET /healthz HTTP/1.1\r\n")
    sent = 0
    try:
        while server.services.connections.late_heads == before:
            client.send(b"x: y\r\n")
            sent += 1
            assert sent < 500
            time.sleep(0.02)
    except OSError:
        pass
    assert b"408" in client.read()[:13] or server.services.connections.late_heads == before + 1


def test_a_body_that_stops_is_answered_408_and_one_that_flows_is_taken(server: ServerThread) -> None:
    before = server.services.connections.slow_bodies
    slow = Client(server)
    slow.request("POST /api/uploads?name=a.txt", slow.bearer, "Content-Length: 1000", body=b"x" * 10)
    assert slow.read().startswith(b"HTTP/1.1 408 ")
    assert server.services.connections.slow_bodies == before + 1
    steady = Client(server)
    steady.request("POST /api/uploads?name=a.txt", steady.bearer, "Content-Length: 3000", "Connection: close")
    for _ in range(12):
        steady.send(b"a new day " * 25)
        time.sleep(0.1)
    assert steady.read().startswith(b"HTTP/1.1 201 ")


def test_a_refused_request_whose_body_does_not_come_ends_too(server: ServerThread) -> None:
    client = Client(server)
    client.request("POST /api/uploads?name=a.txt", "Content-Length: 1000", body=b"x")
    assert client.read().startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("method", ["POST", "HEAD"])
def test_a_length_and_an_encoding_together_are_refused(server: ServerThread, method: str) -> None:
    client = Client(server)
    client.request(
        f"{method} /api/uploads?name=a.txt",
        client.bearer,
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        body=b"1\r\nx\r\n0\r\n\r\n",
    )
    answer = client.read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"\r\n\r\n") == (method == "HEAD")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nx\r\n\r\n",
        b"POST /api/runs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"GET /api/runs/x/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"GET /api/runs/x/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
        + b"a: b\r\n" * 200
        + b"\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: upgrade, close\r\n\r\n",
    ],
    ids=["tls", "no header", "bad chunk", "no key", "many headers", "h2c"],
)
def test_nonsense_is_refused_without_a_word_in_the_log(server: ServerThread, sent: bytes) -> None:
    answer = Client(server, sent).read()
    assert answer.startswith(b"HTTP/1.1 4"), answer


def test_an_upload_that_is_aborted_leaves_nothing_in_the_log(server: ServerThread) -> None:
    client = Client(server)
    client.request("POST /api/uploads?name=a.txt", client.bearer, "Content-Length: 1000", body=b"x" * 10)
    time.sleep(0.1)
    client.close()
    wait_until(lambda: server.connections() + server.tasks() == 0)


async def test_a_viewer_that_pings_without_pause_is_closed(
    server: ServerThread, trainer: FakeTrainer
) -> None:
    before = server.services.connections.flooding_sockets
    async with server.watch(trainer.run.id) as ws:
        for _ in range(15):
            await ws.ping()
        await receive_until(ws, lambda m: isinstance(m, Census))
        trainer.train(1)
        await receive_until(ws, beat_at(trainer.step))
    async with server.watch(trainer.run.id) as ws:
        for _ in range(21):
            await ws.ping()
        await _closed_with(ws, 1008, "20 frames")
    async with server.watch(trainer.run.id) as ws:
        for _ in range(21):
            await ws.pong()
        await _closed_with(ws, 1008, "20 frames")
    assert server.services.connections.flooding_sockets == before + 2


async def test_bytes_are_counted_before_they_are_parsed(server: ServerThread, trainer: FakeTrainer) -> None:
    async with server.watch(trainer.run.id) as ws:
        for _ in range(10):
            await ws.send(b"x" * 900)
        await _closed_with(ws, 1008, "8,192 bytes")
    async with server.watch(trainer.run.id) as ws:
        await ws.send(b"x" * 200_000)
        await _closed_with(ws, 1008, "8,192 bytes")
    async with server.watch(trainer.run.id) as ws:
        await ws.send(b"x" * 5_000)
        await _closed_with(ws, 1009, "")


async def test_text_that_is_not_utf_8_closes_without_a_traceback(
    server: ServerThread, trainer: FakeTrainer
) -> None:
    async with server.watch(trainer.run.id) as ws:
        ws.protocol.send_text(b"\xff\xfe")
        ws.transport.write(b"".join(ws.protocol.data_to_send()))
        await _closed_with(ws, 1007, "UTF-8")


async def _closed_with(ws: Any, code: int, reason: str) -> None:
    with pytest.raises(websockets.ConnectionClosed) as caught:
        await receive_until(ws, lambda _: False)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == code
    assert reason in caught.value.rcvd.reason


async def test_a_viewer_that_comes_and_goes_leaves_nothing_in_the_log(
    server: ServerThread, trainer: FakeTrainer
) -> None:
    upgrade = (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    for query in ("", "?x=1"):
        for _ in range(5):
            client = Client(server)
            client.request(f"GET /api/runs/{trainer.run.id}/live{query}", *upgrade)
            client.close()
    await asyncio.to_thread(wait_until, lambda: server.connections() + server.tasks() == 0)


async def test_idle_sockets_and_viewers_leave_a_place_for_the_presenter(
    server: ServerThread, trainer: FakeTrainer
) -> None:
    counters = server.services.connections
    wait_until(lambda: server.connections() == 0)
    viewers = [
        await websockets.connect(server.url(trainer.run.id), max_size=None, compression=None)
        for _ in range(32)
    ]
    idle = [Client(server) for _ in range(100)]
    try:
        refused = Client(server)
        refused.request("GET /healthz")
        assert b" 503 " in (answer := refused.read())
        assert b"every place of this server is taken" in answer
        for _ in range(5):
            presenter = Client(server)
            presenter.request("GET /api/session", presenter.bearer, "Connection: close")
            assert presenter.read().startswith(b"HTTP/1.1 200 ")
        assert counters.open <= LIMITS.total
        assert counters.websockets == 32
        for viewer in viewers:
            # A viewer that gets the current state after the step does not get the step itself.
            await receive_until(viewer, lambda m: isinstance(m, Census))
        trainer.train(1)
        for viewer in viewers:
            await receive_until(viewer, beat_at(trainer.step))
    finally:
        for client in idle:
            client.close()
        for viewer in viewers:
            await viewer.close()
    wait_until(lambda: server.connections() == 0)
    assert (counters.open, counters.websockets) == (0, 0)
