"""Viewers of a class on real sockets, beside a server in a thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

from lamplighter.serving.classroom.viewer_sessions import ViewerSession
from lamplighter.web.settings import ClassSettings, ServerSettings
from tests.support.beat_page import BeatPage
from tests.support.folders import V
from tests.support.served import ServerThread


def class_server(runs: Path, most: int = 60) -> ServerThread:
    """Start a server with a class."""
    classroom = ClassSettings(host="127.0.0.1", port=0, most=most)
    return ServerThread(ServerSettings(runs, port=0, roles=(), classroom=classroom)).start()


class ClassViewer:
    """A session of a viewer, with a page for the messages of its newest socket."""

    def __init__(self, server: ServerThread) -> None:
        classroom = server.services.classroom
        _, secret = classroom.code_and_secret()
        self.session: ViewerSession
        self.session, cookie = classroom.join(secret, "127.0.0.1", "Firefox")
        address = str(server.services.class_listening.addresses[0])
        self.origin = address
        self.cookie = f"lamplighter-class-{address.rpartition(':')[2]}={cookie}"
        self.page = BeatPage(V)
        self.messages = 0
        self.size = 0
        """Bytes of the messages so far."""

    @asynccontextmanager
    async def watch(self, run: str, **options: Any) -> AsyncIterator[ClientConnection]:
        """Open a socket."""
        self.page = BeatPage(V)
        url = f"{self.origin.replace('http', 'ws')}/api/runs/{run}/beats"
        given: dict[str, Any] = {"max_size": None, "compression": None, "close_timeout": 0.2, **options}
        headers = {"Cookie": self.cookie}
        async with websockets.connect(
            url, origin=websockets.Origin(self.origin), additional_headers=headers, **given
        ) as ws:
            yield ws

    async def receive_until(
        self, ws: ClientConnection, enough: Callable[[BeatPage], bool], seconds: float = 10.0
    ) -> None:
        """Receive until the page satisfies `enough`."""
        async with asyncio.timeout(seconds):
            while not enough(self.page):
                data = await ws.recv()
                self.messages += 1
                self.size += len(data)
                self.page.receive(data)

    def told(self) -> dict[str, Any]:
        """Return the newest class message; before the first one, its fields without values."""
        found = (text for text in reversed(self.page.texts) if text["type"] == "class")
        return next(found, dict.fromkeys(("role", "text", "view", "question", "answer")))


def reaches(step: int) -> Callable[[BeatPage], bool]:
    """Return whether a page shows that step, or a later one."""
    return lambda page: page.step >= step


async def closed_with(ws: ClientConnection, seconds: float = 10.0) -> tuple[int, str]:
    """Receive until the server closes. Returns code and reason; (0, "") if it dropped the connection."""
    async with asyncio.timeout(seconds):
        with suppress(websockets.ConnectionClosed):
            while True:
                await ws.recv()
    return ws.close_code or 0, ws.close_reason or ""


def predict(question: int, answer: float) -> str:
    """Return the message of a prediction."""
    return json.dumps({"question": question, "answer": answer})
