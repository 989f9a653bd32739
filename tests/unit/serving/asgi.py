"""An ASGI client that sends exactly the given headers, and a websocket probe that reports whether it opened."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

PORT = 8600
HOST = f"127.0.0.1:{PORT}"
ORIGIN = f"http://{HOST}"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    cookies: list[str] = field(default_factory=list[str])

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def scope_of(
    kind: str, method: str, path: str, headers: dict[str, str] | list[tuple[str, str]], peer: str | None
) -> dict[str, Any]:
    plain, _, query = path.partition("?")
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http" if kind == "http" else "ws",
        "method": method,
        "path": unquote(plain),
        "raw_path": plain.encode("latin-1", errors="replace"),
        "root_path": "",
        "query_string": query.encode("latin-1", errors="replace"),
        "headers": [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in pairs],
        "client": (peer, 50_000) if peer else None,
        "server": ("127.0.0.1", PORT),
        "subprotocols": [],
        "state": {},
        "extensions": {},
    }


async def call(
    app: Any,
    method: str,
    path: str,
    headers: dict[str, str] | list[tuple[str, str]] | None = None,
    body: bytes = b"",
    *,
    peer: str | None = "127.0.0.1",
) -> Answer:
    """Make one request. `headers` replaces the usual valid Host."""
    given = {"host": HOST} if headers is None else headers
    sent: list[dict[str, Any]] = []
    chunks = [body[i : i + 65_536] for i in range(0, len(body), 65_536)] or [b""]

    async def receive() -> dict[str, Any]:
        if chunks:
            return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}
        await asyncio.sleep(3600)
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope_of("http", method, path, given, peer), receive, send)
    pairs = [(k.decode().lower(), v.decode("latin-1")) for k, v in sent[0]["headers"]]
    return Answer(
        sent[0]["status"],
        dict(pairs),
        b"".join(message.get("body", b"") for message in sent[1:]),
        [value for name, value in pairs if name == "set-cookie"],
    )


async def connect(
    app: Any,
    path: str,
    headers: dict[str, str] | list[tuple[str, str]] | None = None,
    *,
    peer: str | None = "127.0.0.1",
) -> tuple[bool, int | None]:
    """Open one socket and leave at its first message. Returns whether it opened, and its close code."""
    given = {"host": HOST} if headers is None else headers
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    messages.put_nowait({"type": "websocket.connect"})
    opened, code = False, None

    async def send(message: dict[str, Any]) -> None:
        nonlocal opened, code
        if message["type"] == "websocket.accept":
            opened = True
        elif message["type"] == "websocket.close":
            code = message.get("code", 1000)
        else:
            messages.put_nowait({"type": "websocket.disconnect", "code": 1000})

    await app(scope_of("websocket", "", path, given, peer), messages.get, send)
    return opened, code
