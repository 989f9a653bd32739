"""The front answers before the rest of the server has started, and nothing passes the gate until then.

The modules that `lamplighter serve` imports before it answers are few, and stay so.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.types import Message

from lamplighter.serving.apps.app import attach_rest, run_rest
from lamplighter.serving.apps.front import LateRest, create_front
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import HOST, PORT, scope_of

FOREIGN = "evil.example"


async def status(app: FastAPI, path: str, host: str = HOST) -> int:
    """Return the status of a GET request."""
    sent: list[Message] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope_of("http", "GET", path, {"host": host}, "127.0.0.1"), receive, send)
    return sent[0]["status"]


def fail(error: Exception) -> None:
    pytest.fail(str(error))


def front(runs: Path, rest: LateRest) -> FastAPI:
    return create_front(ServerSettings(runs, port=PORT, roles=()), None, rest)


async def test_requests_for_the_rest_wait_until_it_is_there(tmp_path: Path) -> None:
    may_attach = asyncio.Event()

    @asynccontextmanager
    async def rest(app: FastAPI) -> AsyncGenerator[None]:
        await may_attach.wait()
        attach_rest(app)
        async with run_rest(app):
            yield

    app = front(tmp_path, LateRest(rest, fail))
    async with app.router.lifespan_context(app):
        assert await status(app, "/healthz") == 200
        assert await status(app, "/healthz", FOREIGN) == 403
        asked = [("/api/runs", HOST), ("/api/runs", FOREIGN), ("/api/no-such", HOST)]
        waiting = [asyncio.create_task(status(app, path, host)) for path, host in asked]
        for _ in range(20):
            await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        may_attach.set()
        assert [await task for task in waiting] == [200, 403, 404]


async def test_requests_wait_while_the_rest_is_attached_and_not_yet_running(tmp_path: Path) -> None:
    attached, may_run = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def rest(app: FastAPI) -> AsyncGenerator[None]:
        attach_rest(app)
        attached.set()
        await may_run.wait()
        async with run_rest(app):
            yield

    app = front(tmp_path, LateRest(rest, fail))
    async with app.router.lifespan_context(app):
        await attached.wait()
        waiting = asyncio.create_task(status(app, "/api/runs"))
        early, _ = await asyncio.wait({waiting}, timeout=0.5)
        may_run.set()
        assert await waiting == 200
        assert not early


async def test_where_the_rest_fails_requests_fail_and_the_server_is_told(tmp_path: Path) -> None:
    @asynccontextmanager
    async def rest(_: FastAPI) -> AsyncGenerator[None]:
        raise ImportError("no such module")
        yield

    told: list[Exception] = []
    app = front(tmp_path, LateRest(rest, told.append))
    async with app.router.lifespan_context(app):
        assert await status(app, "/api/runs") == 500
        assert await status(app, "/healthz") == 200
    assert [str(error) for error in told] == ["no such module"]


async def test_a_server_that_ends_at_once_ends_its_rest(tmp_path: Path) -> None:
    ended: list[bool] = []

    @asynccontextmanager
    async def rest(_: FastAPI) -> AsyncGenerator[None]:
        await asyncio.sleep(0)
        yield
        ended.append(True)

    app = front(tmp_path, LateRest(rest, fail))
    async with app.router.lifespan_context(app):
        pass
    assert ended == [True]


MAX_OWN = 167
"""Modules of Lamplighter. Python and FastAPI alone take a third of a second; each hundred more take a tenth. It was 163 until 30
November 2026: four more say which settings a text brings, whether a file lies elsewhere, and which pusher asks."""
ROOMS = {
    *(
        "cli",
        "contract",
        "corpora",
        "exports",
        "platform",
        "processes",
        "runfolder",
        "serving",
        "web",
        "wire",
    ),
}
PACKAGES = {
    *("annotated_doc", "annotated_types", "anyio", "apsw", "click", "fastapi", "h11", "idna", "numpy", "opentelemetry"),
    *("pydantic", "pydantic_core", "sniffio", "starlette", "typing_extensions", "typing_inspection", "uvicorn"),
    *("websockets", "zstandard", "platformdirs"),
    # starlette imports it where it is installed, as with the extra `agents`.
    "python_multipart",
}  # fmt: skip
ADVICE = (
    "The server would answer later. Import the module in the function that needs it, or where the rest of the server is"
    " attached (`serving/apps/app.py`), which happens after the first answer; only what the page, sessions and the supervisor"
    " need comes before."
)
SERVE = """
import os, sys
from lamplighter.cli import main
from lamplighter.serving.servers import web_server

def attach_rest(app):
    print("loaded:", *sorted(sys.modules), flush=True)
    os._exit(0)

web_server._attach_rest = attach_rest
sys.argv = ["lamplighter", "serve", "--runs", sys.argv[1], "--no-browser", "--port", "0"]
main()
"""


def loaded_before_the_first_answer(runs: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(runs)], capture_output=True, text=True, timeout=60, check=True
    )
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("loaded:")]
    return line.split()[1:]


def test_few_modules_are_imported_before_the_first_answer(tmp_path: Path) -> None:
    loaded = loaded_before_the_first_answer(tmp_path)
    own = [name.split(".") for name in loaded if name.startswith("lamplighter.")]
    rooms = Counter(parts[1] for parts in own if len(parts) > 2)
    assert rooms.keys() <= ROOMS, f"{rooms.keys() - ROOMS} are imported now. {ADVICE}"
    assert len(own) <= MAX_OWN, f"{len(own)} modules, of {dict(rooms)}. {ADVICE}"
    others = {name.split(".")[0] for name in loaded} - sys.stdlib_module_names - {"lamplighter", "__main__"}
    others = {name for name in others if not name.startswith("_")}
    assert others <= PACKAGES, f"{others - PACKAGES} are imported now. {ADVICE}"
