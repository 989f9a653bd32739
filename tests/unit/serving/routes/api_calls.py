"""Requests of a test to the application, and what every answer must be."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI

from tests.support.asgi import HOST, Answer, call


async def get(app: FastAPI, path: str, status: int = 200, **headers: str) -> Answer:
    """Return the answer to a path, which must have this status; one of a problem also has the form of problems."""
    answer = await call(app, "GET", path, {"host": HOST, **headers})
    assert answer.status == status, answer.body
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["status"] == status
        assert answer.json["detail"]
    return answer


async def send(app: FastAPI, method: str, path: str, headers: dict[str, str], content: Any) -> Answer:
    """Send a value as JSON."""
    return await call(
        app, method, path, {**headers, "content-type": "application/json"}, json.dumps(content).encode()
    )
