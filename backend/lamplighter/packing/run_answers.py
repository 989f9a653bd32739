"""The answers of a server about one run, obtained in this process."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI

from lamplighter.lessons.library import course_library
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.apps.reading_app import ask, create_reading_app


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
        return self._portal.call(ask, self._app, address)
