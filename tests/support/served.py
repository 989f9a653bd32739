"""A real server in a thread, a decoding client, and a fake trainer at a fixed pace."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

from lamplighter.serving.server_info import ServerInfo
from lamplighter.serving.servers.web_server import build_server
from lamplighter.web.connections.limits import ConnectionLimits
from lamplighter.web.connections.listening_socket import open_listener
from lamplighter.web.settings import ServerSettings
from lamplighter.wire.beat_frames import Beat
from lamplighter.wire.envelope import decode_envelope
from lamplighter.wire.frames import decode
from tests.support.folders import FakeTrainer
from tests.support.machine.disk_accesses import LoopGuard


class ServerThread:
    def __init__(self, settings: ServerSettings, limits: ConnectionLimits | None = None) -> None:
        self._listening = open_listener(settings.host, settings.port)
        self.port: int = self._listening.getsockname()[1]
        self._up = threading.Event()
        self._server, self.services = build_server(settings, self._listening, self._on_ready, limits)
        self._guard = LoopGuard()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with self._guard.thread():
            self._server.run(sockets=[self._listening])

    def _on_ready(self, ready: ServerInfo) -> None:
        self.ready = ready
        self._up.set()

    def start(self) -> ServerThread:
        self._thread.start()
        assert self._up.wait(10)
        return self

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(15)
        assert not self._thread.is_alive()
        self._guard.check()

    def connections(self) -> int:
        return len(self._server.server_state.connections)

    def tasks(self) -> int:
        """Return the number of requests and sockets that the app is working on."""
        return len(self._server.server_state.tasks)

    def url(self, run: str) -> str:
        return f"ws://127.0.0.1:{self.port}/api/runs/{run}/live"

    @asynccontextmanager
    async def watch(self, run: str, **options: Any) -> AsyncIterator[ClientConnection]:
        given: dict[str, Any] = {"max_size": None, "compression": None, **options}
        async with websockets.connect(self.url(run), **given) as ws:
            yield ws


async def receive_until(
    ws: ClientConnection, enough: Callable[[Any], bool], seconds: float = 10.0
) -> list[Any]:
    """Receive and decode messages up to the first that satisfies `enough`. The rest of its envelope comes next time."""
    waiting: deque[Any] = vars(ws).setdefault("parts_not_taken", deque())
    heard: list[Any] = []
    async with asyncio.timeout(seconds):
        while True:
            while waiting:
                heard.append(waiting.popleft())
                if enough(heard[-1]):
                    return heard
            data = await ws.recv()
            parts = [data] if isinstance(data, str) else decode_envelope(data)
            waiting += (json.loads(part) if isinstance(part, str) else decode(part) for part in parts)


async def wait_until_unfollowed(run: str, seconds: float = 15.0) -> None:
    """Wait until this process follows no run: the last viewer has left, and the files are closed."""
    async with asyncio.timeout(seconds):
        while any(thread.name == f"follower of {run}" for thread in threading.enumerate()):  # noqa: ASYNC110  (threads)
            await asyncio.sleep(0.05)


def beat_at(step: int, attempt: int = 1) -> Callable[[Any], bool]:
    return lambda m: isinstance(m, Beat) and m.step >= step and m.attempt >= attempt


def status_is(phase: str) -> Callable[[Any], bool]:
    return lambda m: isinstance(m, dict) and m.get("status", {}).get("phase") == phase


def texts(heard: list[Any], kind: str) -> list[dict[str, Any]]:
    return [m for m in heard if isinstance(m, dict) and m["type"] == kind]


class PacedTrainer:
    """A fake trainer run in a thread at a fixed number of steps a second."""

    def __init__(self, trainer: FakeTrainer, per_second: float) -> None:
        self.trainer = trainer
        self._pause = 1 / per_second
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            self.trainer.train_one()
            due += self._pause
            time.sleep(max(0.0, due - time.monotonic()))

    def __enter__(self) -> PacedTrainer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
