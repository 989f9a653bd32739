"""The names of uvicorn and websockets that our protocols use: an upgrade leaves them all, and each is listed."""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

import pytest
import uvicorn

from lamplighter.web.connections import http_protocol, viewer_protocol
from lamplighter.web.connections import uvicorn_internals as internals

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


@pytest.mark.anyio
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
    assert used - set(listed) == set(), "list these in uvicorn_internals.py"
    assert set(listed) - used == set(), "no protocol uses these: take them out of uvicorn_internals.py"


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
