"""The requests of a pusher to a server: how far a run has arrived, and its next fragment."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from http.client import HTTPException, IncompleteRead
from typing import NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request

from pydantic import ValidationError

from lamplighter.client.errors import InputError
from lamplighter.client.server_requests import make_opener, read_problem
from lamplighter.platform.own_addresses import is_loopback
from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.fragments.fragment import IDENTITY_HEADER, KEY_HEADER, Fragment, Position

_SECONDS = 30.0
"""Seconds without a byte after which a request is given up."""
_MAX_ANSWER = 64 << 10
_LATER = (408, 425, 429, 500, 502, 503, 504, 507)
_ADDRESS = re.compile(r"[!-?A-~]+")
"""An address that needs no encoding: ASCII without spaces, and without the `@` after a user name."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,200}", re.ASCII)


class LaterError(Exception):
    """An error for a request that may succeed later: no network, or a server that is busy or full and may say
    how long to wait."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class PushRefusedError(Exception):
    """An error for a request that the server refuses, now and later."""


class PushConflictError(Exception):
    """An error for a fragment that does not continue what the server has."""


class NameTakenError(Exception):
    """An error for a name that another run has at the server."""


class Arrived(NamedTuple):
    """How far a run has arrived, and its identity, if the server knows it."""

    position: Position
    identity: str | None


class _Answer(NamedTuple):
    status: int
    body: bytes
    identity: str | None = None

    def arrived(self) -> Arrived:
        try:
            return Arrived(Position.model_validate_json(self.body), self.identity)
        except ValidationError:
            raise PushRefusedError("the answer is not that of a Lamplighter server") from None


def check_server(url: str, *, insecure_http: bool = False) -> str:
    """Return the address of a server without its last slash. Raises InputError if it is none, or plain http
    to another machine."""
    wrong = InputError(f"{url[:200]!r} is not an address such as https://lamps.example")
    try:
        parts = urlsplit(url.strip())
        # What the connection itself would stumble over: a port that is none, a host with an empty or a long label.
        _ = parts.port, (parts.hostname or "").encode("idna")
    except ValueError:
        raise wrong from None
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or _ADDRESS.fullmatch(url.strip()) is None
    ):
        raise wrong
    if parts.scheme == "http" and not is_loopback(parts.hostname) and not insecure_http:
        raise InputError(
            f"over plain http anyone between here and {parts.hostname} can read the token and the run: use https://,"
            " or --insecure-http (insecure_http=True) on a network that you trust"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def check_token(token: str | None) -> str:
    if not token or _TOKEN.fullmatch(token.strip()) is None:
        raise InputError(
            "pushing takes a token: make one on the server with `lamplighter tokens --for PREFIX`, and give it as"
            " token= or in LAMPLIGHTER_PUSH_TOKEN"
        )
    return token.strip()


class PushClient:
    """A client of one server, with one token, both checked. So are certificates. Proxies are those of the
    environment (`HTTPS_PROXY`).

    Its methods raise LaterError or PushRefusedError if there is no answer, and NameTakenError if another run
    has the name.
    """

    def __init__(self, server: str, token: str) -> None:
        self.server = server
        self._token = token
        self._opener = make_opener(server)

    def position(self, name: str) -> Arrived | None:
        """Return how far the run of that name has arrived; None if it has not begun to."""
        answer = self._ask("GET", f"/api/push/{name}")
        return None if answer.status == 404 else answer.arrived()

    def send_fragment(self, fragment: Fragment, key: str | None = None) -> Position:
        """Send a fragment, steps with the key of their run. Return how far the run has arrived then. Raises
        PushConflictError if the server has less."""
        digest = base64.b64encode(bytes.fromhex(fragment.digest)).decode()
        headers = {
            "Content-Digest": f"sha-256=:{digest}:",
            "Content-Type": "application/octet-stream",
        } | ({} if key is None else {KEY_HEADER: key})
        path = f"/api/push/{fragment.header.run}/fragments/{fragment.file_name}"
        answer = self._ask("PUT", path, fragment.data, headers)
        if answer.status == 404:
            raise PushRefusedError(f"{self.server} takes no runs: its version is older")
        return answer.arrived().position

    def _ask(
        self, method: str, path: str, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> _Answer:
        request = Request(f"{self.server}{path}", data, dict(headers or {}), method=method)
        # Unredirected: a proxy's own handlers never copy it to another request.
        request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        request.add_header("Accept", "application/json")
        try:
            with self._opener.open(request, timeout=_SECONDS) as response:
                body = response.read(_MAX_ANSWER)
                if response.length and len(body) < _MAX_ANSWER:
                    raise IncompleteRead(body, response.length)
                return _Answer(response.status, body, response.headers.get(IDENTITY_HEADER))
        except HTTPError as error:
            with error:
                return self._judge(error)
        except URLError as error:
            raise LaterError(f"{self.server} cannot be reached: {quote_foreign(error.reason)}") from error
        except (OSError, HTTPException) as error:
            raise LaterError(f"{self.server} cannot be reached: {quote_foreign(error)}") from error

    def _judge(self, error: HTTPError) -> _Answer:
        code, detail = read_problem(error)
        if error.code == 404:
            return _Answer(404, b"")
        detail = quote_foreign(detail)[:500] or error.reason
        message = f"{self.server} answers {error.code}: {detail}"
        if error.code in _LATER:
            wait = error.headers.get("Retry-After", "")
            raise LaterError(message, float(wait) if wait.isdecimal() and len(wait) < 6 else None)
        if code == "push_name_taken":
            raise NameTakenError(detail)
        if error.code == 409:
            raise PushConflictError(detail)
        if 300 <= error.code < 400:
            raise PushRefusedError(
                f"{self.server} leads elsewhere, and the token goes nowhere else: give the new address"
            )
        raise PushRefusedError(message)
