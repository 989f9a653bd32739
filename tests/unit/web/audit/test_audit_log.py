"""The audit log: what it holds, and how little a flood adds to it.

The middleware around everything: what it records in the audit log.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_store import RunStore
from lamplighter.web.audit.audit_log import AUDIT_FILE, MAX_LINES, MAX_WAITING, AuditLog
from tests.support.asgi import HOST, ORIGIN, call, connect, launch
from tests.support.folders import finished_run, make_run
from tests.support.waiting import wait_until


def lines_of(folder: Path, name: str = AUDIT_FILE) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def written(folder: Path) -> list[dict[str, Any]]:
    return lines_of(folder) if (folder / AUDIT_FILE).exists() else []


def test_each_change_is_a_line(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path)
    audit.start()
    audit.record_change("token", "send_request", 202, run="a-run", kind="pause")
    audit.record_change("0123456789abcdef", "delete_run", 204, run="a-run", kind=None)
    audit.stop()
    first, second = lines_of(tmp_path)
    assert first.pop("time").endswith("Z")
    assert first == {"by": "token", "what": "send_request", "run": "a-run", "kind": "pause", "result": 202}
    assert second["by"] == "0123456789abcdef"
    assert "kind" not in second
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / AUDIT_FILE).stat().st_mode) == 0o600


def test_a_session_has_a_bounded_number_of_lines_and_the_others_keep_theirs(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path)
    for _ in range(300):
        audit.record_change("0123456789abcdef", "assist", 202, run="a-run", kind="pause")
    audit.record_change("token", "delete_run", 204, run="a-run")
    audit.start()
    audit.stop()
    *changes, last = lines_of(tmp_path)
    assert [line["by"] for line in changes] == ["0123456789abcdef"] * MAX_LINES + ["token"]
    assert last["left_out"] == 300 - MAX_LINES


def test_lines_are_written_again_in_the_next_minute(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, minute=0.05)
    for _ in range(MAX_LINES + 5):
        audit.record_change("token", "send_request", 202)
    audit.start()
    wait_until(lambda: any("left_out" in line for line in written(tmp_path)), "the minute's line")
    audit.record_change("token", "delete_run", 204)
    audit.stop()
    lines = lines_of(tmp_path)
    assert [line["what"] for line in lines if "what" in line] == ["send_request"] * MAX_LINES + ["delete_run"]
    assert [line["left_out"] for line in lines if "left_out" in line] == [5]


def test_ten_thousand_refusals_make_one_line(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path)
    audit.start()
    for number in range(10_000):
        audit.count_refusal(("401", "403", "4403")[number % 3])
    audit.stop()
    (line,) = lines_of(tmp_path)
    assert line["refused"] == {"401": 3_334, "403": 3_333, "4403": 3_333}


def test_a_line_about_refusals_comes_by_itself(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, minute=0.02)
    audit.start()
    audit.count_refusal("401")
    wait_until(lambda: len(written(tmp_path)) == 1, "a line")
    audit.stop()
    assert [line["refused"] for line in lines_of(tmp_path)] == [{"401": 1}]


def test_ended_connections_are_told_once(tmp_path: Path) -> None:
    ended = {"late_heads": 2, "shed": 0}
    audit = AuditLog(tmp_path, lambda: ended, minute=0.02)
    audit.start()
    wait_until(lambda: len(written(tmp_path)) == 1, "a line")
    ended["late_heads"], ended["shed"] = 2, 4
    wait_until(lambda: len(written(tmp_path)) == 2, "a second line")
    audit.stop()
    assert [line["connections_ended"] for line in lines_of(tmp_path)] == [{"late_heads": 2}, {"shed": 4}]


def test_the_log_is_bounded(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, max_bytes=2_000)
    for _ in range(20):
        audit = AuditLog(tmp_path, max_bytes=2_000)
        audit.start()
        for number in range(10):
            audit.record_change("token", "create_run", 201, run=f"run-{number}")
        audit.stop()
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {AUDIT_FILE, f"{AUDIT_FILE}.1"}
    assert all(0 < size <= 2_000 for size in sizes.values())
    assert len(lines_of(tmp_path, f"{AUDIT_FILE}.1")) > 5


def test_lines_that_a_disk_refuses_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / AUDIT_FILE).mkdir()
    audit = AuditLog(tmp_path)
    for number in range(3):
        audit.record_change("token", "create_run", 201, run=f"run {number}")
    audit.start()
    wait_until(lambda: "cannot be written" in caplog.text, "a warning")
    (tmp_path / AUDIT_FILE).rmdir()
    audit.record_change("token", "delete_run", 204)
    audit.stop()
    assert [line.get("left_out", line.get("what")) for line in lines_of(tmp_path)] == ["delete_run", 3]
    assert str(tmp_path) not in caplog.text


def test_a_thread_that_hangs_blocks_no_request(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path)
    for number in range(5_000):
        audit.record_change(f"session {number % 100}", "create_run", 201)
    audit.start()
    audit.stop()
    *changes, last = lines_of(tmp_path)
    assert (len(changes), last["left_out"]) == (MAX_WAITING, 5_000 - MAX_WAITING)


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="this system cannot refuse a link")
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / AUDIT_FILE).symlink_to(elsewhere)
    audit = AuditLog(tmp_path / "runs")
    audit.start()
    audit.record_change("token", "create_run", 201)
    audit.stop()
    assert elsewhere.read_text() == ""


def audited(app: FastAPI, folder: Path) -> list[dict[str, Any]]:
    """Let the audit log of an app write what it has, and return it."""
    audit: AuditLog = app.state.services.audit
    audit.start()
    audit.stop()
    path = folder / AUDIT_FILE
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


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
