"""The app of the reading routes for this process itself: no listener, no gate, no credentials.

Packing a run into a file sends it the page's requests, so that the file holds the same answers as a server's. The tools for
agents send it theirs, within the same limits.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from lamplighter.lessons.library import LessonLibrary
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.jobs.examiners import ExaminerJobs
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.reading.run_problems import install_run_error_handlers
from lamplighter.serving.routes import (
    difference,
    districts,
    findings,
    geometry_space,
    layouts,
    lessons,
    requests,
    runs,
    steps,
    tokens,
)
from lamplighter.serving.services import ReadingServices
from lamplighter.web.capacity.limiter import body_slots
from lamplighter.web.capacity.response_cache import ResponseCache
from lamplighter.web.capacity.spool import Spool
from lamplighter.web.capacity.thread_pools import ThreadPools
from lamplighter.web.http.route_table import RouteRule

_NOBODY = "packer"
"""The name of a server without questions."""


class AnswerError(RuntimeError):
    """An error for an answer with a status of 400 or more; its text is the problem's `detail`."""

    def __init__(self, address: str, status: int, body: bytes) -> None:
        super().__init__(_find_detail(body) or f"{address}: {status} {body[:200].decode('utf-8', 'replace')}")
        self.status = status


def create_reading_app(store: Path, library: LessonLibrary) -> FastAPI:
    """Build the app for the runs in the folder `store`, with the course of a library. It writes nothing except large
    answers in the spool."""
    pools = ThreadPools()
    services = ReadingServices(
        catalog=RunCatalog(RunStore(store)),
        pools=pools,
        response_cache=ResponseCache(body_slots(), pools, Spool(store)),
        server_id=_NOBODY,
        examiner_jobs=ExaminerJobs(_NOBODY, starts=False),
        lessons=library,
    )
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.services = services
    install_run_error_handlers(app)
    for module in (
        runs,
        steps,
        findings,
        layouts,
        districts,
        requests,
        geometry_space,
        lessons,
        tokens,
        difference,
    ):
        module.routes.attach(app, pools, services.response_cache, _reads)
    return app


async def ask(app: FastAPI, address: str) -> bytes:
    """Return the body of the app's answer to `GET` of an address relative to the root of the server. Raises
    AnswerError if the app rejects the request.
    """
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

    await app(scope, receive, send)
    body = b"".join(parts)
    if status >= 400:
        raise AnswerError(address, status, body)
    return body


def _find_detail(body: bytes) -> str | None:
    try:
        detail: object = json.loads(body)["detail"]
    except (ValueError, LookupError, TypeError):
        return None
    return detail if isinstance(detail, str) else None


def _reads(rule: RouteRule) -> bool:
    return rule.kind == "http" and "GET" in rule.methods
