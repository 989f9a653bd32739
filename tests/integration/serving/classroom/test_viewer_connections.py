"""The connections of one viewer on real sockets: a few are served, one more is told so, and other viewers do not notice."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lamplighter.web.connections.limits import ConnectionLimits
from lamplighter.web.settings import ClassSettings, ServerSettings
from tests.integration.serving.classroom.viewers import ClassViewer
from tests.support.served import ServerThread
from tests.support.waiting import wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerThread]:
    settings = ServerSettings(
        tmp_path, port=0, roles=(), classroom=ClassSettings(host="127.0.0.1", port=0, most=60)
    )
    server = ServerThread(settings, ConnectionLimits(excess_seconds=0.05)).start()
    yield server
    server.stop()


def begin(viewer: ClassViewer, head: str, more: str = "") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", int(viewer.origin.rpartition(":")[2])), timeout=10)
    connection.sendall(
        f"{head} HTTP/1.1\r\nHost: {viewer.origin.removeprefix('http://')}\r\nOrigin: {viewer.origin}\r\n"
        f"Cookie: {viewer.cookie}\r\n{more}\r\n".encode()
    )
    return connection


def answer(connection: socket.socket) -> str:
    return connection.recv(4_096).decode()


def test_a_seventeenth_connection_of_a_viewer_is_told_to_come_later(server: ServerThread) -> None:
    greedy, other = ClassViewer(server), ClassViewer(server)
    server.services.classroom.set_role(greedy.session.id, "assistant")
    with ExitStack() as stack:

        def ask(viewer: ClassViewer) -> str:
            return answer(stack.enter_context(begin(viewer, "GET /api/session")))

        waiting = [
            stack.enter_context(begin(greedy, "POST /api/class/assist", "Content-Length: 2\r\n"))
            for _ in range(16)
        ]
        wait_until(lambda: server.services.class_connections.open == 16, "sixteen connections")
        refused = ask(greedy)
        assert refused.startswith("HTTP/1.1 429 ")
        assert "retry-after: 5\r\n" in refused
        assert "connection: close\r\n" in refused
        assert ask(other).startswith("HTTP/1.1 200 ")
        waiting[0].sendall(b"{}")
        assert answer(waiting[0]).startswith("HTTP/1.1 422 ")
        # What has had its answer goes for what asks.
        assert ask(greedy).startswith("HTTP/1.1 200 ")
        assert server.services.class_connections.refused_session == 1
