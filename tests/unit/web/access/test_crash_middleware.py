"""Responses to unexpected errors."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.requests import ClientDisconnect

from lamplighter.web.access.crash_middleware import CrashMiddleware
from tests.support.asgi import call, scope_of

pytestmark = pytest.mark.anyio


async def test_a_500_carries_the_security_headers_and_says_nothing_of_the_cause(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(f"secret at {tmp_path}")

    monkeypatch.setattr(app.state.services.catalog, "list_runs", fail)
    usual = await call(app, "GET", "/healthz")
    answer = await call(app, "GET", "/api/runs")
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(usual.headers) == set(answer.headers)
    for name in ("content-security-policy", "x-content-type-options", "cross-origin-opener-policy"):
        assert answer.headers[name] == usual.headers[name]
    assert "RuntimeError" in answer.json["detail"]
    assert "secret" not in answer.body.decode()
    assert "secret at" in caplog.text


async def test_an_error_in_the_gate_itself_is_answered_so_too(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(app.state.services.gate, "decide", fail)
    answer = await call(app, "GET", "/healthz")
    assert (answer.status, answer.headers["x-content-type-options"]) == (500, "nosniff")


async def run(error: Exception, *, begun: bool) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def fail(_: Any, __: Any, send: Any) -> None:
        if begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await CrashMiddleware(fail)(scope_of("http", "GET", "/", {}, None), receive, send)
    return sent


async def test_an_answer_that_breaks_off_does_not_look_whole() -> None:
    with pytest.raises(OSError, match="gone"):
        await run(OSError("gone"), begun=True)


async def test_a_client_that_leaves_during_its_upload_causes_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert await run(ClientDisconnect(), begun=False) == []
    assert caplog.text == ""
