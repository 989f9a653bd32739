"""The address at which a run is to be seen: of a server that has it, or the command that starts one."""

from __future__ import annotations

import io
import json
import shlex
import socket
import time
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

from lamplighter.platform.loopback import LOCAL_ADDRESS

_PATIENCE = 0.5
"""Seconds for a server of this machine to answer, from the first byte to the last; a training waits once."""
_MOST_BYTES = 1 << 16


def find_server(run: Path) -> str | None:
    """Return the address at which the server of this machine shows a run; None if it has not this very run.

    The program that listens there may be no server of ours: no answer of it raises, or takes longer than half a second.
    """
    try:
        said = _ask(f"/api/runs/{quote(run.name)}")
        same = said["id"] == run.name and said["created"] == (run / "recipe.json").stat().st_mtime
    except Exception:  # noqa: BLE001 (what a stranger answers is of any kind, and no training ends for it)
        return None
    return f"{LOCAL_ADDRESS}/?run={quote(run.name)}" if same else None


def serving_command(run: Path) -> str:
    """Return the command that starts a server which shows a run."""
    return f"lamplighter --runs {shlex.quote(str(run.parent))}"


def _ask(path: str) -> Any:
    """Return the JSON that the server of this machine answers."""
    where = urlsplit(LOCAL_ADDRESS)
    until = time.monotonic() + _PATIENCE
    answer = b""
    with socket.create_connection((where.hostname, where.port), timeout=_PATIENCE) as connection:
        request = f"GET {path} HTTP/1.0\r\nHost: {where.netloc}\r\nAccept: application/json\r\n\r\n"
        connection.sendall(request.encode())
        # A timeout of a socket is for each read: one byte at a time would take for ever.
        while (left := until - time.monotonic()) > 0 and len(answer) <= _MOST_BYTES:
            connection.settimeout(left)
            part = connection.recv(_MOST_BYTES)
            if not part:
                break
            answer += part
    response = HTTPResponse(cast(socket.socket, _Answered(answer)))
    response.begin()
    if response.status != 200 or response.headers.get_content_type() != "application/json":
        raise ValueError("this is no answer of ours")
    return json.loads(response.read())


class _Answered:
    """Bytes that were received, as `HTTPResponse` reads them."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._received)
