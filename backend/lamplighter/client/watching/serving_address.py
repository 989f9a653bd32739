"""The address at which a run can be seen: that of a server with the run, or the command to start one."""

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

from lamplighter.platform.own_addresses import LOCAL_ADDRESS

_PATIENCE = 0.5
"""Seconds for a server on this machine to answer completely; a training waits once."""
_MAX_BYTES = 1 << 16


def find_server(run: Path, address: str | None = None) -> str | None:
    """Return the address at which the server on this machine shows a run; None if it does not have this run.

    `address`: the server's, by default the one at which a server listens first. The program that listens
    there may be another one: its answers never raise errors, or take longer than half a second.
    """
    address = address or LOCAL_ADDRESS
    try:
        said = _ask(address, f"/api/runs/{quote(run.name)}")
        same = said["id"] == run.name and said["created"] == (run / "recipe.json").stat().st_mtime
    except Exception:  # noqa: BLE001 (what a stranger answers is of any kind, and no training ends for it)
        return None
    return f"{address}/?run={quote(run.name)}" if same else None


def serving_command(run: Path) -> str:
    return f"lamplighter --runs {shlex.quote(str(run.parent))}"


def _ask(address: str, path: str) -> Any:
    where = urlsplit(address)
    until = time.monotonic() + _PATIENCE
    answer = b""
    with socket.create_connection((where.hostname, where.port), timeout=_PATIENCE) as connection:
        request = f"GET {path} HTTP/1.0\r\nHost: {where.netloc}\r\nAccept: application/json\r\n\r\n"
        connection.sendall(request.encode())
        # A socket's timeout applies to each read, so one byte at a time could take for ever.
        while (left := until - time.monotonic()) > 0 and len(answer) <= _MAX_BYTES:
            connection.settimeout(left)
            part = connection.recv(_MAX_BYTES)
            if not part:
                break
            answer += part
    response = HTTPResponse(cast(socket.socket, _Answered(answer)))
    response.begin()
    if response.status != 200 or response.headers.get_content_type() != "application/json":
        raise ValueError("not an answer of a Lamplighter server")
    return json.loads(response.read())


class _Answered:
    """Received bytes, in a form for `HTTPResponse`."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._received)
