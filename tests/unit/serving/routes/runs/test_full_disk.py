"""A full disk: what writes is answered 507 with a sentence, what reads goes on, and a pause and a stop are taken."""

from __future__ import annotations

import errno
import json
import logging
from pathlib import Path
from typing import Any

import apsw
import pytest
from fastapi import FastAPI

from lamplighter.runfolder.tables.requests import RequestsReader
from lamplighter.runfolder.writing.free_space import has_no_room
from lamplighter.serving.reading.run_problems import DISK_FULL, DiskFullLog
from tests.support.asgi import Answer, call
from tests.support.folders import FakeTrainer, make_run
from tests.support.machine.small_disk import small_disk

pytestmark = pytest.mark.anyio


def full_disk_error(*_: object, **__: object) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [f"{record.getMessage()}{record.exc_text or ''}" for record in caplog.records]


async def test_a_pause_and_a_stop_are_taken_and_other_requests_are_told_to_make_room(
    app: FastAPI,
    bearer: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = make_run(app.state.services.catalog.run_store)
    trainer = FakeTrainer(run).begin().train(5)

    async def ask(body: dict[str, Any]) -> Answer:
        headers = bearer | {"content-type": "application/json"}
        return await call(app, "POST", f"/api/runs/{run.id}/requests", headers, json.dumps(body).encode())

    with small_disk(monkeypatch) as disk, caplog.at_level(logging.WARNING, logger="lamplighter"):
        async with app.router.lifespan_context(app):
            disk.free = 0
            for kind in ("pause", "stop", "pause"):
                assert (await ask({"kind": kind})).status == 202
            # Their file exists now, with room for some; these are told the same while there is none.
            (run.path / f"requests-{app.state.services.server_id}.sqlite").rename(
                run.path / "requests-other.sqlite"
            )
            for body in (
                {"kind": "map", "neighbours": 9},
                {"kind": "learning_rate", "value": 0.1},
                {"kind": "resume"},
            ):
                answer = await ask(body)
                assert (answer.status, answer.json["detail"]) == (507, DISK_FULL)
            assert (await call(app, "GET", f"/api/runs/{run.id}")).status == 200
            assert (await call(app, "GET", f"/api/runs/{run.id}/steps?from=1&to=5")).status == 200
            disk.free = 1_000_000
            assert (await ask({"kind": "learning_rate", "value": 0.1})).status == 202
    taken = sorted(request.kind for request in RequestsReader(run.path).read_new())
    assert taken == ["learning_rate", "pause", "pause", "stop"]
    (line,) = lines_of(caplog)
    assert line.startswith("the disk is full (database or disk is full)")
    trainer.crash()


@pytest.mark.parametrize(
    ("path", "body", "broken"),
    [
        ("/api/runs", b"{}", "lamplighter.runfolder.run_store.write_atomically"),
        ("/api/runs", b"{}", "pathlib.Path.mkdir"),
        ("/api/runs", b"{}", "pathlib.Path.touch"),
        ("/api/uploads", b"a text", "pathlib.Path.write_bytes"),
        ("/api/uploads", b"a text", "pathlib.Path.mkdir"),
    ],
)
async def test_new_runs_and_uploads_are_told_to_make_room_and_leave_nothing(
    app: FastAPI,
    bearer: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    path: str,
    body: bytes,
    broken: str,
) -> None:
    (tmp_path / ".uploads").mkdir()
    before = files_in(tmp_path)
    headers = bearer | {"content-type": "application/json" if path == "/api/runs" else "text/plain"}
    with monkeypatch.context() as patch:
        patch.setattr(broken, full_disk_error)
        for _ in range(3):
            answer = await call(app, "POST", path, headers, body)
            assert (answer.status, answer.json["detail"]) == (507, DISK_FULL)
    assert files_in(tmp_path) == before
    assert len(lines_of(caplog)) == 1
    assert "Traceback" not in caplog.text
    assert (await call(app, "POST", path, headers, body)).status == 201


async def test_other_errors_of_the_system_are_no_full_disk(
    app: FastAPI, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("lamplighter.runfolder.run_store.write_atomically", broken)
    answer = await call(app, "POST", "/api/runs", bearer | {"content-type": "application/json"}, b"{}")
    assert answer.status == 500
    assert "OSError" in answer.json["detail"]


@pytest.mark.parametrize(
    ("result", "full"),
    [
        (apsw.SQLITE_FULL, True),
        (apsw.SQLITE_IOERR_WRITE, True),
        (apsw.SQLITE_IOERR_SHMSIZE, True),
        (apsw.SQLITE_IOERR_READ, False),
        (apsw.SQLITE_BUSY, False),
    ],
)
def test_a_read_error_does_not_count_as_a_full_disk(result: int, full: bool) -> None:
    assert has_no_room(apsw.exception_for(result)) is full


def test_a_full_disk_is_a_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    disk_full_log = DiskFullLog(lambda: now[0])
    for second in range(150):
        now[0] = second
        disk_full_log.note(OSError(errno.ENOSPC, "No space left on device"))
    assert [line.rsplit(" ", 1)[1] for line in lines_of(caplog)] == ["1", "60", "60"]
