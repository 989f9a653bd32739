"""The answers of a server about one run, obtained in this process."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI

from lamplighter.lessons.library import course_library
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.apps.reading_app import create_reading_app


class AnswerError(RuntimeError):
    """An error for an answer with a status of 400 or more."""

    def __init__(self, path: str, status: int, body: bytes) -> None:
        super().__init__(f"{path}: {status} {body[:200].decode('utf-8', 'replace')}")
        self.status = status


class RunAnswers:
    """The answers about one run, computed in a separate thread with its event loop; a context manager."""

    def __init__(self, run: RunFolder, lessons: Path | None = None) -> None:
        """Prepare to ask about `run` in its store; `lessons`: a folder of texts that override the course's."""
        self._app: FastAPI = create_reading_app(run.path.parent, course_library(lessons))
        self._loop = start_blocking_portal()
        self._root = f"/api/runs/{run.id}"

    def __enter__(self) -> Self:
        self._portal = self._loop.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.__exit__(kind, error, trace)

    def get(self, rest: str = "") -> bytes:
        """Return the body of the answer to `GET /api/runs/{run}` and `rest`, such as `"/steps?from=1"`.

        Raises:
            AnswerError: the server rejects the request.
        """
        return self.ask(self._root + rest)

    def ask(self, address: str) -> bytes:
        """Return the body of the answer to `GET` of an address relative to the root of the server.

        Raises:
            AnswerError: the server rejects the request.
        """
        return self._portal.call(self._ask, address)

    async def _ask(self, address: str) -> bytes:
        path, _, query = address.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"host", b"localhost")],
            "client": None,
            "server": None,
            "state": {},
        }
        status, parts = 500, list[bytes]()

        async def receive() -> MutableMapping[str, Any]:
            # The request has no body, and its client never disconnects.
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                parts.append(bytes(message.get("body", b"")))

        await self._app(scope, receive, send)
        body = b"".join(parts)
        if status >= 400:
            raise AnswerError(address, status, body)
        return body
