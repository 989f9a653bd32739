"""A full disk: what writes is answered 507 with a sentence, what reads goes on, and a pause and a stop are taken.

Size estimates of runs not yet made, over REST and on the command line.
Runs that a server begins wait for their map, where it will draw one that must be prepared.
A text of one's own: what is said of it before training, and that a refused one makes no run.
"""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path
from typing import Any

import apsw
import pytest
from fastapi import FastAPI

from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import RequestsReader
from lamplighter.runfolder.writing.free_space import has_no_room
from lamplighter.runfolder.writing.size_estimate import estimate_size
from lamplighter.serving.apps.app import create_app
from lamplighter.serving.reading.run_problems import DISK_FULL, DiskFullLog
from lamplighter.web.settings import ServerSettings, SettingsError
from tests.support.asgi import HOST, PORT, Answer, call
from tests.support.folders import FakeTrainer, make_run
from tests.support.machine.small_disk import small_disk
from tests.unit.serving.routes.api_calls import send


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
        return await send(app, "POST", f"/api/runs/{run.id}/requests", bearer, body)

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


async def ask(app: FastAPI, bearer: dict[str, str], **content: Any) -> Answer:
    return await send(app, "POST", "/api/estimates", bearer, content)


async def test_an_estimate_makes_nothing(app: FastAPI, bearer: dict[str, str], tmp_path: Path):
    there = sorted(os.listdir(tmp_path))
    answer = await ask(app, bearer, recipe={"steps": 2_000})
    assert answer.status == 200
    assert answer.json == estimate_size(Recipe(steps=2_000)).model_dump()
    assert sum(answer.json["parts"].values()) == answer.json["whole"]
    assert sorted(os.listdir(tmp_path)) == there


async def test_a_text_counts_by_its_length(app: FastAPI, bearer: dict[str, str]):
    recipe = {"corpus": {"kind": "text"}}
    short = (await ask(app, bearer, recipe=recipe, text_bytes=2_000)).json
    assert short["bytes"] < (await ask(app, bearer, recipe=recipe, text_bytes=50_000_000)).json["bytes"]


async def test_a_whole_number_may_be_written_with_a_point(app: FastAPI, bearer: dict[str, str]):
    answer = await ask(
        app, bearer, recipe={"steps": 2_000.0, "optimiser": {"learning_rate": 1}}, text_bytes=10.0
    )
    assert answer.status == 200
    assert (
        answer.json["parts"] == (await ask(app, bearer, recipe={"steps": 2_000}, text_bytes=10)).json["parts"]
    )


@pytest.mark.parametrize(
    ("settings", "held"),
    [
        ({}, 30),
        ({"hold": 5}, 5),
        ({"hold": 0}, None),
        # This server prepares no map.
        ({"roles": ("trainer",)}, None),
    ],
)
async def test_a_new_run_is_held_for_its_map(
    settings: dict[str, Any], held: float | None, tmp_path: Path
) -> None:
    app = create_app(ServerSettings(tmp_path, port=PORT, **settings))
    token = app.state.services.gate.credentials.token
    headers = {"host": HOST, "authorization": f"Bearer {token}", "content-type": "application/json"}
    made = await call(app, "POST", "/api/runs", headers, b"{}")
    assert made.status == 201
    run = RunStore(tmp_path).find(made.json["id"])
    asked = [(request.kind, request.body) for request in RequestsReader(run.path).read_new()]
    assert asked == ([] if held is None else [("hold", {"seconds": held})])
    # Before a trainer takes it up it waits as any run does.
    assert made.json["status"]["hold"] is None
    begin = await call(app, "POST", f"/api/runs/{run.id}/requests", headers, b'{"kind": "begin"}')
    assert begin.status == 202
    # Only the server itself holds a run.
    hold = await call(app, "POST", f"/api/runs/{run.id}/requests", headers, b'{"kind": "hold"}')
    assert hold.status == 422


@pytest.mark.parametrize("seconds", [-1, 601, float("nan")])
def test_seconds_out_of_range_are_refused(seconds: float, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="hold: "):
        ServerSettings(tmp_path, hold=seconds).check()


LONG = " ".join(f"word{n % 300}" for n in range(1_500)).encode()


async def send_text(app: FastAPI, bearer: dict[str, str], text: bytes, name: str = "essay.txt") -> Answer:
    return await call(app, "POST", f"/api/uploads?name={name}", bearer, text)


async def start(app: FastAPI, bearer: dict[str, str], upload: str, **recipe: Any) -> Answer:
    body = {"recipe": {"corpus": {"kind": "text"}, **recipe}, "upload": upload}
    return await send(app, "POST", "/api/runs", bearer, body)


async def test_a_text_is_described_without_a_run(
    app: FastAPI, bearer: dict[str, str], tmp_path: Path
) -> None:
    facts = (await send_text(app, bearer, LONG)).json["text"]
    assert facts == {
        "words": 1_500,
        "tokens": 1_500,
        "different": 300,
        "exact": True,
        "vocabulary": 301,
        "steps": 500,
        "expectation": "by_heart",
    }
    assert RunStore(tmp_path).runs() == []


async def test_a_text_that_is_declared_to_be_too_large_is_refused_unread(
    app: FastAPI, bearer: dict[str, str]
) -> None:
    limit = 64 * 2**20
    for length, status in ((limit, 201), (limit + 1, 413), (2 * limit, 413)):
        answer = await call(app, "POST", "/api/uploads", {**bearer, "content-length": str(length)}, LONG)
        assert answer.status == status
    assert "at most 64 MiB" in answer.json["detail"]


async def test_a_text_too_short_makes_no_run(app: FastAPI, bearer: dict[str, str], tmp_path: Path) -> None:
    sent = (await send_text(app, bearer, b"only a few words, twice: only a few words")).json
    assert sent["text"]["expectation"] == "too_short"
    refused = await start(app, bearer, sent["upload"])
    assert refused.status == 422
    assert refused.json["detail"].startswith("This text has 9 words. 1,000 are needed;")
    assert [error["field"] for error in refused.json["errors"]] == ["upload"]
    assert RunStore(tmp_path).runs() == []


async def test_a_text_shorter_than_a_batch_makes_no_run(
    app: FastAPI, bearer: dict[str, str], tmp_path: Path
) -> None:
    upload = (await send_text(app, bearer, LONG)).json["upload"]
    refused = await start(app, bearer, upload, model={"context": 800}, sequences=8, passages=2)
    assert refused.status == 422
    assert "a batch reads passages" in refused.json["detail"]
    assert RunStore(tmp_path).runs() == []
    made = await start(app, bearer, upload)
    assert (made.status, made.json["name"]) == (201, "essay.txt")
    unnamed = (await send_text(app, bearer, LONG, name="")).json["upload"]
    assert (await start(app, bearer, unnamed)).json["name"] == "word0 word1 word2 word3 word4"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"caf\xe9 " * 2_000, "This file isn't plain UTF-8 text (byte 3 is 0xe9). Save it as"),
        (b"PK\x03\x04\x14\x00\x06\x00" + LONG, "Word documents and PDFs can't be read directly"),
        ("words ".encode("utf-16") * 2_000, "it is UTF-16"),
        (b" \n ", "is empty. 1,000 words are needed."),
        (b"", "is empty. 1,000 words are needed."),
    ],
)
async def test_rejects_non_text_with_advice(
    app: FastAPI, bearer: dict[str, str], text: bytes, reason: str
) -> None:
    refused = await send_text(app, bearer, text)
    assert refused.status == 422
    assert reason in refused.json["detail"]
    assert refused.json["code"] in ("text_not_plain", "text_empty")
