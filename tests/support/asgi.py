"""An ASGI client that sends exactly the given headers, and a websocket probe that reports whether it opened."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI

from lamplighter.web.access.gate import SESSION_KEY_HEADER
from lamplighter.web.http.route_table import find_rule
from tests.support.machine.disk_accesses import LoopGuard

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
    app: FastAPI,
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

    guard = LoopGuard()
    await guard.call(app(scope_of("http", method, path, given, peer), receive, send))
    guard.check()
    pairs = [(k.decode().lower(), v.decode("latin-1")) for k, v in sent[0]["headers"]]
    answer = Answer(
        sent[0]["status"],
        dict(pairs),
        b"".join(message.get("body", b"") for message in sent[1:]),
        [value for name, value in pairs if name == "set-cookie"],
    )
    require_described(app, method, path, answer)
    return answer


async def launch(
    app: FastAPI, link: str, headers: dict[str, str] | None = None, *, peer: str | None = "127.0.0.1"
) -> tuple[Answer, dict[str, str]]:
    """Open a launch link.

    Returns the answer, and the headers that the page sends afterwards: cookie and key.
    """
    answer = await call(app, "GET", link, headers, peer=peer)
    found = re.search(rb'name="lamplighter-key" content="([^"]+)"', answer.body)
    if found is None:
        return answer, {}
    pair = answer.cookies[0].split(";")[0]
    return answer, {"host": HOST, **(headers or {}), "cookie": pair, SESSION_KEY_HEADER: found[1].decode()}


def require_described(app: FastAPI, method: str, path: str, answer: Answer) -> None:
    """Raise AssertionError if the OpenAPI file has the operation, but not its answer's status or
    media type.
    """
    rule, _ = find_rule(app.state.services.gate.rules, "http", method, unquote(path.partition("?")[0]))
    item = openapi_file()["paths"].get(rule.path, {}) if rule else {}
    operation = item.get({"HEAD": "get"}.get(method, method.lower()))
    if operation is None:
        return
    found = operation["responses"].get(str(answer.status))
    assert found is not None, f"{method} {path}: {answer.status} is not in the OpenAPI file"
    if "$ref" in found:
        found = openapi_file()["components"]["responses"][found["$ref"].rsplit("/", 1)[-1]]
    if answer.body:
        media_type = answer.headers["content-type"].partition(";")[0]
        assert media_type in found["content"], f"{method} {path}: {media_type} is not in the OpenAPI file"


@cache
def openapi_file() -> dict[str, Any]:
    """Read `frontend/openapi.json`, which `make check` compares with the routes."""
    return json.loads((Path(__file__).parents[2] / "frontend/openapi.json").read_text(encoding="utf-8"))


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

    guard = LoopGuard()
    await guard.call(app(scope_of("websocket", "", path, given, peer), messages.get, send))
    guard.check()
    return opened, code
