"""The listening socket: a few connections at a time, and what it does without a free file descriptor.

The names of uvicorn and websockets that our protocols use: an upgrade leaves them all, and each is listed.
"""

from __future__ import annotations

import ast
import asyncio
import errno
import inspect
import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

import pytest
import uvicorn

from lamplighter.web.connections import http_protocol, listening_socket, viewer_protocol
from lamplighter.web.connections import http_protocol as internals
from lamplighter.web.connections.listening_socket import ListeningSocket, ignore_accept_errors


class Descriptors:
    """Descriptors that are short when the test says so: accepting works only while the spare one is given up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.short = False
        self.stolen = False
        self._open = os.open
        self._accept: Callable[[socket.socket], Any] = socket.socket.accept
        self.listener: ListeningSocket | None = None
        monkeypatch.setattr(listening_socket.os, "open", self._open_spare)
        monkeypatch.setattr(socket.socket, "accept", lambda listener: self._take(listener))

    def _open_spare(self, *arguments: Any) -> int:
        if self.short and self.stolen:
            raise OSError(errno.EMFILE, "Too many open files")
        return self._open(*arguments)

    def _take(self, listener: socket.socket) -> Any:
        assert isinstance(listener, ListeningSocket)
        if self.short and (self.stolen or listener._spare is not None):  # pyright: ignore[reportPrivateUsage]
            raise OSError(errno.EMFILE, "Too many open files")
        return self._accept(listener)


@pytest.fixture
def descriptors(monkeypatch: pytest.MonkeyPatch) -> Descriptors:
    return Descriptors(monkeypatch)


@pytest.fixture
def clock() -> list[float]:
    return [1_000.0]


@pytest.fixture
def listener(descriptors: Descriptors, clock: list[float]) -> Iterator[ListeningSocket]:
    with ListeningSocket(socket.AF_INET, clock=lambda: clock[0]) as made:
        made.bind(("127.0.0.1", 0))
        made.listen(64)
        made.setblocking(False)
        yield made


def _connect(listener: ListeningSocket, count: int) -> list[socket.socket]:
    return [socket.create_connection(listener.getsockname()) for _ in range(count)]


def _accept_turn(listener: ListeningSocket) -> int:
    """Accept as asyncio does in one turn of its loop. Returns the number of connections."""
    for count in range(2_048):
        try:
            made, _ = listener.accept()
        except BlockingIOError:
            return count
        made.close()
    raise AssertionError("the turn did not end")


def _close(clients: list[socket.socket]) -> None:
    for client in clients:
        client.close()


def test_a_turn_accepts_a_few_and_the_next_goes_on(listener: ListeningSocket) -> None:
    clients = _connect(listener, 20)
    assert [_accept_turn(listener) for _ in range(4)] == [8, 8, 4, 0]
    _close(clients)


def test_without_descriptors_the_queue_is_closed_and_a_line_a_minute_is_logged(
    listener: ListeningSocket,
    descriptors: Descriptors,
    clock: list[float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    clients = _connect(listener, 30)
    descriptors.short = True
    for _ in range(30):
        assert _accept_turn(listener) == 0
    assert listener.counters.shed == 30
    for client in clients:
        client.settimeout(2)
        assert client.recv(1) == b""
    assert len(caplog.records) == 1
    assert "Too many open files" in caplog.text
    clock[0] += 60
    clients += _connect(listener, 1)
    _accept_turn(listener)
    assert len(caplog.records) == 2
    descriptors.short = False
    clients += _connect(listener, 1)
    assert _accept_turn(listener) == 1
    _close(clients)


def test_even_without_the_spare_one_a_turn_ends_at_once_and_asyncio_waits(
    listener: ListeningSocket, descriptors: Descriptors, caplog: pytest.LogCaptureFixture
) -> None:
    clients = _connect(listener, 3)
    descriptors.short = descriptors.stolen = True
    with pytest.raises(OSError, match="Too many"):
        listener.accept()
    with pytest.raises(OSError, match="Too many"):
        listener.accept()
    # asyncio has scheduled its next try, and calls on as long as the backlog is long.
    with pytest.raises(BlockingIOError):
        listener.accept()
    assert len(caplog.records) == 1
    descriptors.short = descriptors.stolen = False
    assert sum(_accept_turn(listener) for _ in range(3)) == 3
    _close(clients)


def test_only_the_lack_of_descriptors_is_left_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.new_event_loop()
    message = "socket.accept() out of system resource"
    try:
        with caplog.at_level(logging.ERROR):
            ignore_accept_errors(loop, {"message": message, "exception": OSError(errno.EMFILE, "")})
            assert caplog.records == []
            ignore_accept_errors(loop, {"message": message, "exception": OSError(errno.EIO, "")})
            ignore_accept_errors(loop, {"message": "a task", "exception": OSError(errno.EMFILE, "")})
            assert len(caplog.records) == 2
    finally:
        loop.close()


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class FakeTransport(asyncio.Transport):
    """A transport that takes what is written and sends it nowhere."""

    def is_closing(self) -> bool:
        return False

    def write(self, data: Any) -> None:
        pass

    def close(self) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0


async def answer_nothing(scope: Any, receive: Any, send: Any) -> None:
    await receive()


def missing(owner: object, names: Iterable[str]) -> list[str]:
    return [f"{type(owner).__name__} has no {name}" for name in names if not hasattr(owner, name)]


async def test_an_upgrade_has_taken_no_name_away():
    config = uvicorn.Config(answer_nothing, log_config=None, lifespan="off")
    state = internals.ServerState()
    http = internals.H11Protocol(config, state, {}, None)
    http.connection_made(FakeTransport())
    http.data_received(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    websocket = internals.WebSocketsSansIOProtocol(config, state, {}, None)
    websocket.connection_made(FakeTransport())
    websocket.data_received(HANDSHAKE)
    lost = [
        *missing(http, internals.HTTP_NAMES),
        *missing(http.flow, internals.FLOW_NAMES),
        *missing(http.cycle, internals.CYCLE_NAMES),
        *missing(state, internals.STATE_NAMES),
        *missing(websocket, internals.WEBSOCKET_NAMES),
        *missing(websocket.conn, internals.WEBSOCKET_CONNECTION_NAMES),
    ]
    http.connection_lost(None)
    assert not lost, "; ".join(lost)


@pytest.mark.parametrize(
    ("module", "base", "listed"),
    [
        (http_protocol, internals.H11Protocol, internals.HTTP_NAMES),
        (viewer_protocol, internals.WebSocketsSansIOProtocol, internals.WEBSOCKET_NAMES),
    ],
)
def test_each_name_that_a_protocol_uses_is_listed(module: ModuleType, base: type, listed: tuple[str, ...]):
    names = set(names_in(module))
    used = {name for name in names if not name.startswith("_") or hasattr(base, name)}
    assert used - set(listed) == set(), "list these in connection_config.py"
    assert set(listed) - used == set(), "no protocol uses these: take them out of connection_config.py"


def names_in(module: ModuleType) -> Iterator[str]:
    """Yield the attributes of `self` that the protocol of a module uses or replaces."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ClassDef) and node.name.endswith("Protocol"):
            for part in ast.walk(node):
                if isinstance(part, ast.FunctionDef) and not part.name.startswith("__"):
                    yield part.name
                elif (
                    isinstance(part, ast.Attribute)
                    and isinstance(part.value, ast.Name)
                    and part.value.id == "self"
                ):
                    yield part.attr
