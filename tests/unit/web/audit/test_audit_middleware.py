"""The middleware around everything: what it records in the audit log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_store import RunStore
from lamplighter.web.audit.audit_log import AUDIT_FILE, AuditLog
from lamplighter.web.audit.audit_middleware import AuditMiddleware
from tests.support.asgi import HOST, ORIGIN, call, connect, launch, scope_of
from tests.support.folders import finished_run, make_run

pytestmark = pytest.mark.anyio


def audited(app: FastAPI, folder: Path) -> list[dict[str, Any]]:
    """Let the audit log of an app write what it has, and return it."""
    audit: AuditLog = app.state.services.audit
    audit.start()
    audit.stop()
    path = folder / AUDIT_FILE
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


async def test_changes_are_noted_with_who_and_what(
    app: FastAPI, bearer: dict[str, str], tmp_path: Path
) -> None:
    ended, waiting = finished_run(tmp_path), make_run(RunStore(tmp_path))
    json_type = {**bearer, "content-type": "application/json"}
    pause = b'{"kind": "pause"}'
    assert (await call(app, "POST", f"/api/runs/{waiting.id}/requests", json_type, pause)).status == 202
    assert (await call(app, "POST", f"/api/runs/{ended.id}/requests", json_type, pause)).status == 409
    assert (await call(app, "DELETE", f"/api/runs/{ended.id}", bearer)).status == 204
    recipe = json.dumps({"recipe": {"corpus": {"kind": "lamptown"}}}).encode()
    made = (await call(app, "POST", "/api/runs", json_type, recipe)).json["id"]
    estimate = json.dumps({"recipe": {"corpus": {"kind": "lamptown"}}}).encode()
    assert (await call(app, "POST", "/api/estimates", json_type, estimate)).status == 200
    assert (await call(app, "GET", "/api/runs", bearer)).status == 200
    found = [{**line, "time": ""} for line in audited(app, tmp_path)]
    assert found == [
        {"time": "", "by": "token", "what": "send_request", "run": waiting.id, "kind": "pause", "result": 202},
        {"time": "", "by": "token", "what": "delete_run", "run": ended.id, "result": 204},
        {"time": "", "by": "token", "what": "create_run", "run": made, "result": 201},
    ]  # fmt: skip


async def test_a_session_is_started_and_used_by_the_same_caller(app: FastAPI, tmp_path: Path) -> None:
    services = app.state.services
    _, page = await launch(app, services.gate.issue_launch_url().removeprefix(ORIGIN))
    assert (await call(app, "POST", "/api/launches", {**page, "origin": ORIGIN})).status == 201
    (session,) = services.gate.credentials.sessions.list_sessions()
    began, acted = audited(app, tmp_path)
    assert (began["by"], began["kind"]) == (session.id, "begin")
    assert (acted["by"], acted["what"]) == (session.id, "create_launch_link")
    text = (tmp_path / AUDIT_FILE).read_text(encoding="utf-8")
    for name, value in page.items():
        assert name == "host" or value.rpartition("=")[2] not in text


async def test_no_line_holds_a_secret_or_client_text(
    app: FastAPI, bearer: dict[str, str], tmp_path: Path
) -> None:
    credentials = app.state.services.gate.credentials
    wrong = {"host": HOST, "authorization": "Bearer guessed-token"}
    for path in ("/api/runs", "/secret-path", "/launch?code=guessed-code"):
        await call(app, "POST", path, wrong, b"secret body")
        await call(app, "GET", path, {"host": "secret.example"})
    await call(app, "POST", "/api/uploads?name=secret.txt", bearer, b"a secret text, long enough to be one")
    lines = audited(app, tmp_path)
    text = json.dumps(lines)
    assert [line["what"] for line in lines if "what" in line] == ["upload_text"]
    for secret in ("secret", "guess", credentials.token, "127.0.0.1"):
        assert secret not in text
    assert set(lines[-1]) == {"time", "refused"}


async def test_counts_refusals_of_each_kind(app: FastAPI, bearer: dict[str, str], tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    too_large = b"x" * 70_000
    for status, method, path, headers, body in (
        (401, "DELETE", f"/api/runs/{run.id}", {"host": HOST}, b""),
        (403, "GET", "/api/runs", {"host": "evil.example"}, b""),
        (404, "GET", "/nowhere", bearer, b""),
        (405, "PUT", "/api/runs", bearer, b""),
        (413, "POST", "/api/runs", {**bearer, "content-type": "application/json"}, too_large),
        (422, "GET", f"/api/runs/{run.id}/steps/x", bearer, b""),
    ):
        assert (await call(app, method, path, headers, body)).status == status
    assert await connect(app, "/api/runs/none/live") == (True, 4404)
    assert await connect(app, "/api/runs/none/live", {"host": "evil.example"}) == (False, 4403)
    (line,) = audited(app, tmp_path)
    assert line["refused"] == {
        "401": 1,
        "403": 1,
        "404": 1,
        "405": 1,
        "413": 1,
        "422": 1,
        "4404": 1,
        "4403": 1,
    }


async def test_ten_thousand_refused_requests_make_less_than_a_kilobyte_of_log(tmp_path: Path) -> None:
    async def refuse(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b"no"})

    async def ignore(_: Any) -> None:
        pass

    audit = AuditLog(tmp_path)
    audit.start()
    middleware = AuditMiddleware(refuse, audit)
    for number in range(10_000):
        scope = scope_of("http", "POST", "/api/runs", {}, f"10.0.{number % 256}.{number % 100}")
        await middleware(scope, ignore, ignore)  # pyright: ignore[reportArgumentType]
    audit.stop()
    (line,) = map(json.loads, (tmp_path / AUDIT_FILE).read_text(encoding="utf-8").splitlines())
    assert line["refused"] == {"401": 10_000}
    assert bytes_in(tmp_path) < 1_000
