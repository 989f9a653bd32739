"""The owner of a class, for its relays: it runs the requests and sockets of their phones through its own app."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Message, Scope
from starlette.websockets import WebSocket

from lamplighter.serving.classroom.class_gate import ClassGate
from lamplighter.serving.classroom.relaying.line import (
    ALIVE_SECONDS,
    OWNER,
    RELAY,
    SILENT_SECONDS,
    TOKEN_VARIABLE,
    Line,
    LineError,
    check_client,
    connect,
    open_message,
    to_bytes,
    to_text,
    until_over,
)
from lamplighter.serving.live.log_viewers import tell
from lamplighter.serving.live.viewer import Viewer
from lamplighter.serving.live.watched_run import WatchedRun
from lamplighter.web.hosts import Origin, OriginError, parse_origin
from lamplighter.web.settings import BrokerSettings, SettingsError

if TYPE_CHECKING:
    from nats.aio.client import Client

log = logging.getLogger(__name__)

RELAY_EXTENSION = "lamplighter.relay"
"""The ASGI extension with the line of a socket that sits at a relay."""
_MAX_TUNNELS, _MAX_RELAYS, _MAX_QUEUED = 6_000, 32, 16


class RelayLine(Line):
    """The owner's end: the requests and sockets of one relay."""

    def __init__(self, client: Client, relay: str, app: ASGIApp) -> None:
        super().__init__(client, relay, RELAY + relay)
        self._app = app
        self._queues: dict[int, asyncio.Queue[Message]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._feeds: dict[WatchedRun, tuple[Viewer, set[Viewer], asyncio.Task[None]]] = {}
        self._wanted: set[str] = set()
        """The runs of which the relay wants the newest state."""

    def handle(self, head: dict[str, Any], body: bytes) -> None:
        """Do what a message of the relay says."""
        match head.get("type"), head.get("t"):
            case "open", int(tunnel) if tunnel not in self._queues and len(self._queues) < _MAX_TUNNELS:
                self._queues[tunnel] = asyncio.Queue()
                self._spawn(self._serve(tunnel, head, body))
            case "websocket.receive", int(tunnel) if tunnel in self._queues:
                if (queue := self._queues[tunnel]).qsize() < _MAX_QUEUED:
                    queue.put_nowait({"type": "websocket.receive", "text": body.decode(errors="replace")})
            case "gone", int(tunnel) if tunnel in self._queues and (kind := head.get("kind")):
                self._queues[tunnel].put_nowait({"type": f"{kind}.disconnect", "code": 1001})
            case "state", _:
                self._wanted.add(str(head.get("run")))
                for viewer, _, _ in self._feeds.values():
                    viewer.news.set()
            case "alive", _:
                self._spawn(self.send({"type": "alive"}))
            case _:
                pass

    async def feed(self, watched: WatchedRun, websocket: WebSocket, viewer: Viewer, seconds: float) -> None:
        """Send a viewer at the relay what only it is sent, and the relay the beats, once for all its viewers of a run."""
        await watched.greet(websocket, viewer, seconds)
        with self._fed(watched, viewer):
            while True:
                viewer.news.clear()
                if not await tell(websocket, viewer, seconds):
                    await viewer.news.wait()

    def end(self) -> None:
        """End all its requests and sockets."""
        for task in self._tasks:
            task.cancel()

    def _spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(until_over(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _serve(self, tunnel: int, head: dict[str, Any], body: bytes) -> None:
        async def send(message: Message) -> None:
            content = message.get("body") or message.get("bytes") or (message.get("text") or "").encode()
            plain = {key: one for key, one in message.items() if key not in ("body", "bytes", "text")}
            await self.send({**plain, "headers": to_text(message.get("headers", [])), "t": tunnel}, content)

        queue = self._queues[tunnel]
        try:
            scope = _scope_of(head, self)
            is_socket = scope["type"] == "websocket"
            queue.put_nowait(
                {"type": "websocket.connect"} if is_socket else {"type": "http.request", "body": body}
            )
            await self._app(scope, queue.get, send)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("a relay sent what could not be served: %r", error)
        finally:
            del self._queues[tunnel]
            await until_over(self.send({"type": "done", "t": tunnel}))

    @contextlib.contextmanager
    def _fed(self, watched: WatchedRun, viewer: Viewer) -> Generator[None]:
        """Have the relay follow a run while one of its viewers watches it."""
        if watched not in self._feeds:
            follower = Viewer(text=viewer.text)
            watched.viewers.add(follower)
            self._feeds[watched] = (follower, set(), self._spawn(self._follow(watched, follower)))
        follower, watching, task = self._feeds[watched]
        watching.add(viewer)
        try:
            yield
        finally:
            watching.discard(viewer)
            if not watching:
                task.cancel()
                watched.viewers.discard(follower)
                del self._feeds[watched]

    async def _follow(self, watched: WatchedRun, follower: Viewer) -> None:
        """Send the beats of a run: `whole` a state for all, `next` what follows, `state` one for new viewers."""
        run, text = watched.run.id, follower.text
        while True:
            follower.news.clear()
            if follower.text != text:
                # Words of the run's text, which the class may see no longer, leave the relay's log.
                follower.position, text = None, follower.text
            waiting = watched.waiting_for(follower)
            if waiting:
                for entry in waiting:
                    await self.send({"type": "feed", "run": run, "kind": "next"}, entry.data)
                    follower.position = entry.seq
            elif waiting is None and (found := await watched.state_after(follower)) is not None:
                await self.send({"type": "feed", "run": run, "kind": "whole"}, found[1] or b"")
                follower.position = found[0]
                self._wanted.discard(run)
            elif run in self._wanted and (found := await watched.state_after(Viewer(text=text))) is not None:
                if found[0] == follower.position:
                    await self.send({"type": "feed", "run": run, "kind": "state"}, found[1] or b"")
                    self._wanted.discard(run)
            else:
                await follower.news.wait()


def _scope_of(head: dict[str, Any], line: RelayLine) -> Scope:
    """Return the scope of a request or a socket. Raises ValueError, KeyError or TypeError."""
    is_socket = head["kind"] == "websocket"
    path = str(head["path"])
    return {
        "type": "websocket" if is_socket else "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "ws" if is_socket else "http",
        "method": str(head["method"]),
        "path": path,
        "raw_path": path.encode(),
        "query_string": str(head["query"]).encode(),
        "root_path": "",
        "headers": to_bytes(head["headers"]),
        "client": (str(head["client"]), 0),
        "server": None,
        "subprotocols": [],
        "extensions": {RELAY_EXTENSION: line},
    }


class Owner:
    """The server of a class, for its relays. Belongs to the event loop."""

    def __init__(self, app: ASGIApp, gate: ClassGate) -> None:
        """Prepare to serve relays. `app` is the class's, behind a gate of its own, `gate`, that learns their addresses."""
        self._app, self._gate = app, gate
        self._lines: dict[str, RelayLine] = {}
        self._addresses: dict[str, list[Origin]] = {}
        self._client: Client | None = None
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self, settings: BrokerSettings) -> None:
        """Return once relays are heard. Raises SettingsError if the broker does not answer, or has an owner."""
        check_client()
        import nats.errors

        try:
            async with asyncio.timeout(SILENT_SECONDS):
                client = self._client = await connect(settings)
                with contextlib.suppress(nats.errors.NoRespondersError, nats.errors.TimeoutError):
                    await client.request(OWNER, b"", timeout=0.5)
                    raise SettingsError("broker: another server has its class there; a class has one owner")
                await client.subscribe(OWNER, cb=self._take)
                await client.flush()
        except (TimeoutError, nats.errors.Error, OSError) as error:
            raise SettingsError(
                f"broker: it does not answer, or refuses the token in {TOKEN_VARIABLE}"
            ) from error
        self._sweeping = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """End every line, and leave the broker."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for line in list(self._lines.values()):
            await until_over(line.send({"type": "over"}))
            self._end(line)
        if self._client is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(1.0):
                    await self._client.close()

    async def _take(self, message: Any) -> None:
        if not message.data and message.reply:
            await message.respond(b"")
            return
        line = None
        try:
            head, body = open_message(message.data)
            line = self._lines.get(head["relay"])
            if head.get("type") == "alive" and head.get("n") == 0 and line is None:
                if len(self._lines) >= _MAX_RELAYS or self._client is None:
                    return
                line = self._lines[head["relay"]] = RelayLine(self._client, head["relay"], self._app)
                self._addresses[line.relay] = [parse_origin(str(one)) for one in head["addresses"][:16]]
                self._note_addresses()
            if line is not None and (whole := line.take(head, body)) is not None:
                line.handle(*whole)
        except LineError:
            if line is not None:
                await until_over(line.send({"type": "over"}))
                self._end(line)
        except (ValueError, KeyError, TypeError, OriginError):
            log.debug("the broker brought what no relay of this version sends")

    def _end(self, line: RelayLine) -> None:
        line.end()
        self._lines.pop(line.relay, None)
        self._addresses.pop(line.relay, None)
        self._note_addresses()

    def _note_addresses(self) -> None:
        self._gate.addresses = [one for known in self._addresses.values() for one in known]

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(ALIVE_SECONDS)
            for line in [one for one in self._lines.values() if one.is_silent]:
                self._end(line)
