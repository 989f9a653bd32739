"""A relay: it serves the page of a class to more phones, and holds nothing of the class.

It passes each request and each socket of a phone to the owner, as the messages of ASGI; so a phone has the rights here
that it has there, and the owner's gate decides. What is large is sent once for all phones: the beats of a run, and answers
that have not changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from lamplighter.contract.sentences import say
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.serving.classroom.class_gate import find_client
from lamplighter.serving.classroom.relaying.line import (
    ALIVE_SECONDS,
    OWNER,
    RELAY,
    Line,
    LineError,
    connect,
    open_message,
    to_bytes,
    to_text,
)
from lamplighter.serving.live.channel_log import ChannelLog, Entry, Sequence
from lamplighter.serving.live.log_viewers import LogViewers
from lamplighter.serving.live.viewer import SEND_SECONDS, Viewer, run_socket, send_in_time
from lamplighter.web.access.decision import came_through_a_proxy, is_page_wanted
from lamplighter.web.access.gate_middleware import security_headers
from lamplighter.web.capacity.caller import Network
from lamplighter.web.hosts import Origin
from lamplighter.web.http.assets import Assets
from lamplighter.web.http.problems import plain_page, problem_response
from lamplighter.web.settings import BrokerSettings

if TYPE_CHECKING:
    from nats.aio.client import Client

_LARGEST_BODY = 4 << 10
_PAUSE_SECONDS = 0.2
"""Seconds between two lines, so that a broker that refuses is not asked without end."""
_CACHE_BYTES = 64 << 20
_FRESH = 8
"""Beats after the newest state from which on a new viewer causes another one."""
_BEATS = re.compile(r"/api/runs/([^/]{1,600})/beats")
_NOT_PASSED = frozenset((b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"expect", b"te"))
CLOSE_AGAIN = 1012
"""The close code of a socket whose page is to connect again."""
_AGAIN = "This page tries again by itself, every few seconds."


@dataclass(frozen=True)
class _Kept:
    """An answer that may be given again if the owner says that it has not changed."""

    etag: str
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def is_open(self) -> bool:
        """Return whether anyone may have it, for ever, without asking the owner: a file of the page."""
        control = dict(self.headers).get(b"cache-control", b"")
        return b"public" in control and b"immutable" in control


class _Answer:
    """The answer to one request, as it arrives."""

    def __init__(self) -> None:
        self.done: asyncio.Future[tuple[int, list[tuple[bytes, bytes]], bytes] | None] = (
            asyncio.get_running_loop().create_future()
        )
        self._head: tuple[int, list[tuple[bytes, bytes]]] = (503, [])
        self._body: list[bytes] = []

    def take(self, head: dict[str, Any], body: bytes) -> None:
        if head.get("type") == "http.response.start":
            headers = to_bytes(head["headers"])
            self._head = (int(head["status"]), headers)
        elif head.get("type") == "http.response.body":
            self._body.append(body)
            if not head.get("more_body") and not self.done.done():
                self.done.set_result((*self._head, b"".join(self._body)))
        else:
            self.lose()

    def lose(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


class _Socket:
    """One socket of a phone."""

    def __init__(self) -> None:
        self.viewer = Viewer()
        loop = asyncio.get_running_loop()
        self.accepted: asyncio.Future[tuple[int, str] | None] = loop.create_future()
        """The close code and its reason if the owner refuses it; None: it is accepted."""
        self.hello: asyncio.Future[str] = loop.create_future()

    def take(self, head: dict[str, Any], body: bytes) -> None:
        match head.get("type"):
            case "websocket.accept" if not self.accepted.done():
                self.accepted.set_result(None)
            case "websocket.send" if not self.hello.done():
                self.hello.set_result(body.decode())
            case "websocket.send":
                self.viewer.to_tell = body.decode()
                self.viewer.news.set()
            case "websocket.close":
                self._close(int(head.get("code") or 1000), str(head.get("reason") or ""))
            case _:
                self.lose()

    def lose(self) -> None:
        self._close(CLOSE_AGAIN, say("class_is_away"))

    def _close(self, code: int, reason: str) -> None:
        if self.accepted.done():
            self.viewer.request_close(code, reason)
        else:
            self.accepted.set_result((code, reason))


class _FollowedRun(LogViewers):
    """The beats of a run as the owner sends them, and the viewers here."""

    def __init__(self, ask: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._ask, self._asked = ask, False
        self._log, self._number = ChannelLog(), 0
        self._state: tuple[Sequence, bytes] | None = None

    def take(self, kind: object, data: bytes) -> None:
        if kind == "next":
            self._number += 1
            self._log.append(Sequence(0, 0, self._number), data)
        else:
            if kind == "whole":
                self._number += 1
                self._log.start_again(Sequence(0, 0, self._number))
            self._state, self._asked = (self._log.newest, data), False
        self.wake_viewers()

    def entries_after(self, position: Sequence, *, text: bool) -> list[Entry] | None:
        del text
        return self._log.entries_after(position)

    async def state_after(self, viewer: Viewer) -> tuple[Sequence, bytes | None] | None:
        after = None if self._state is None else self._log.entries_after(self._state[0])
        if (after is None or len(after) > _FRESH) and not self._asked:
            self._asked = True
            await self._ask()
        if after is None or self._state is None:
            return None
        known = viewer.position is not None and self._state[0] <= viewer.position
        return None if known else self._state


class OwnerLine(Line):
    """The relay's end, until the owner is silent or a message is missing."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, secrets.token_hex(8), OWNER)
        self.over = asyncio.Event()
        self.runs: dict[str, _FollowedRun] = {}
        self.tunnels: dict[int, _Answer | _Socket] = {}
        self._opened = 0

    async def receive(self, message: Any) -> None:
        """Take a message of the owner."""
        try:
            head, body = open_message(message.data)
            if (whole := self.take(head, body)) is None:
                return
            head, body = whole
            if head.get("type") == "over":
                self.over.set()
            elif head.get("type") == "feed" and (run := self.runs.get(str(head.get("run")))) is not None:
                run.take(head.get("kind"), body)
            elif (tunnel := self.tunnels.get(int(head.get("t", 0)))) is not None:
                tunnel.take(head, body)
        except (LineError, ValueError, KeyError, TypeError, AttributeError):
            self.over.set()

    @contextlib.asynccontextmanager
    async def tunnel(
        self, end: _Answer | _Socket, head: dict[str, Any], body: bytes = b""
    ) -> AsyncGenerator[int]:
        """Open a request or a socket at the owner; yields its number."""
        self._opened += 1
        number = self._opened
        self.tunnels[number] = end
        try:
            await self.send({**head, "type": "open", "t": number}, body)
            yield number
        finally:
            del self.tunnels[number]
            with contextlib.suppress(LineError):
                await self.send({"type": "gone", "kind": head["kind"], "t": number})

    @contextlib.contextmanager
    def watched(self, run_id: str, viewer: Viewer) -> Generator[_FollowedRun]:
        """Add a viewer to a run."""
        ask = {"type": "state", "run": run_id}
        run = self.runs.setdefault(run_id, _FollowedRun(lambda: self.send(ask)))
        run.viewers.add(viewer)
        try:
            yield run
        finally:
            run.viewers.discard(viewer)
            if not run.viewers and self.runs.get(run_id) is run:
                del self.runs[run_id]


class Relay:
    """The ASGI app of a relay."""

    def __init__(self, settings: BrokerSettings, addresses: list[Origin], trusted: Network | None) -> None:
        """Prepare to serve phones at `addresses`, behind the proxies of `trusted`, if any."""
        self._settings, self._addresses, self._trusted = settings, addresses, trusted
        self._line: OwnerLine | None = None
        self._cache = LruCache(_CACHE_BYTES, lambda kept: len(kept.body))

    async def run(self) -> None:
        """Keep a line to the owner, until cancelled. Raises SettingsError."""
        client = await connect(self._settings)
        try:
            while True:
                line = OwnerLine(client)
                subscription = await client.subscribe(RELAY + line.relay, cb=line.receive)
                with contextlib.suppress(LineError):
                    await self._hold(line)
                self._line = None
                for tunnel in list(line.tunnels.values()):
                    tunnel.lose()
                with contextlib.suppress(Exception):
                    await subscription.unsubscribe()
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            with contextlib.suppress(Exception):
                await client.close()

    async def _hold(self, line: OwnerLine) -> None:
        addresses = [str(one) for one in self._addresses]
        begun = line.heard
        while not line.over.is_set() and not line.is_silent:
            await line.send({"type": "alive", "addresses": addresses})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ALIVE_SECONDS):
                    await line.over.wait()
            if line.heard > begun and not line.over.is_set():
                self._line = line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        peer = (scope.get("client") or ("",))[0]
        client, refusal = find_client(scope["headers"], peer, self._trusted)
        head: dict[str, Any] = {
            "kind": scope["type"],
            "method": scope.get("method", "GET"),
            "path": scope["path"],
            "query": scope["query_string"].decode("latin-1"),
            "client": client or peer,
            "headers": to_text(
                [
                    (key, value)
                    for key, value in scope["headers"]
                    if key not in _NOT_PASSED and not came_through_a_proxy([(key, value)])
                ]
            ),
        }
        if scope["type"] == "websocket":
            await self._serve_socket(WebSocket(scope, receive, send), head, refusal)
        elif refusal is not None:
            await _own(problem_response(403, refusal))(scope, receive, send)
        else:
            response = await self._answer(Request(scope, receive), head)
            await response(scope, receive, send)

    async def _answer(self, request: Request, head: dict[str, Any]) -> Response:
        # The policy among the headers names the host.
        names = ("host", "accept", "accept-encoding")
        key = (head["path"], head["query"], *(request.headers.get(name) for name in names))
        kept: _Kept | None = self._cache.get(key) if request.method == "GET" else None
        if kept is not None and kept.is_open:
            return _response(200, kept.headers, kept.body)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _LARGEST_BODY:
                return _own(
                    problem_response(413, f"that is more than the {_LARGEST_BODY:,} bytes allowed here")
                )
        line, answer = self._line, _Answer()
        asks_for_newer = kept is not None and "if-none-match" not in request.headers
        if kept is not None and asks_for_newer:
            head["headers"].append(["if-none-match", kept.etag])
        found = None
        if line is not None:
            with contextlib.suppress(LineError):
                async with line.tunnel(answer, head, body):
                    found = await answer.done
        if found is None:
            # What the page that says so is drawn with is here too.
            folder, _, name = head["path"].removeprefix("/").partition("/")
            file = Assets().find_file("", name) if folder == "static" and "/" not in name else None
            return _silent(request) if file is None else _own(FileResponse(file))
        status, headers, content = found
        if status == 304 and kept is not None and asks_for_newer:
            return _response(200, kept.headers, kept.body)
        etag = dict(headers).get(b"etag")
        if status == 200 and etag is not None and request.method == "GET":
            self._cache.put(key, _Kept(etag.decode("latin-1"), headers, content))
        return _response(status, headers, content)

    async def _serve_socket(self, websocket: WebSocket, head: dict[str, Any], refusal: str | None) -> None:
        found, line, socket = _BEATS.fullmatch(head["path"]), self._line, _Socket()
        if refusal is not None or found is None or line is None:
            await websocket.accept()
            final = refusal is not None or found is None
            await websocket.close(4403 if final else 1013, refusal or say("class_is_away")[:120])
            return
        with contextlib.suppress(LineError):
            async with line.tunnel(socket, head) as number:
                refused = await socket.accepted
                await websocket.accept()
                if refused is not None:
                    await websocket.close(*refused)
                    return
                with line.watched(unquote(found[1]), socket.viewer) as run:
                    await run_socket(
                        websocket,
                        socket.viewer.ended,
                        sending=_feed(websocket, socket, run),
                        listening=_listen(websocket, line, number),
                    )


async def _feed(websocket: WebSocket, socket: _Socket, run: _FollowedRun) -> None:
    await send_in_time(websocket, await socket.hello, SEND_SECONDS)
    await run.feed_log(websocket, socket.viewer, SEND_SECONDS)


async def _listen(websocket: WebSocket, line: OwnerLine, number: int) -> None:
    """Pass on what a phone says, until it leaves."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = (message.get("text") or "").encode()
        if 0 < len(text) <= _LARGEST_BODY:
            await line.send({"type": "websocket.receive", "t": number}, text)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


def _response(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> Response:
    response = Response(body, status)
    own = [] if status in (204, 304) else [(b"content-length", str(len(body)).encode())]
    response.raw_headers = [one for one in headers if one[0] != b"content-length"] + own
    return response


def _silent(request: Request) -> Response:
    """Return what a phone is told while the owner does not answer."""
    if not is_page_wanted(request.scope["headers"], request.url.path):
        return _own(problem_response(503, say("class_is_away"), headers={"Retry-After": "3"}))
    page = plain_page(503, "The teacher's computer does not answer", (_AGAIN,), "Try again", "/")
    page.headers["Cache-Control"] = "no-store"
    page.headers["Retry-After"] = page.headers["Refresh"] = "3"
    return _own(page)


def _own(response: Response) -> Response:
    """Add the headers that the owner's gate adds to its answers."""
    response.raw_headers += security_headers(None)
    return response
