"""Questions about a run's model over REST: what is taken, what is refused in words, and what becomes of them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from lamplighter.contract.reason import ReasonCode, give_reason
from lamplighter.runfolder.importing.imported_run import IMPORTED_FACT
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.examinations import ExaminationsWriter
from lamplighter.runfolder.tables.requests import Request, RequestsReader
from lamplighter.runfolder.tables.steps import StepsWriter
from tests.support.asgi import Answer, call
from tests.support.folders import finished_run, make_run
from tests.unit.serving.routes.api_calls import send

ROTATION = {"kind": "rotation", "step": 5}
CANONICAL = {"kind": "rotation", "step": 5, "seed": 0}
WORD = {"numbers": [0.5], "neighbours": [[2, 0.25]]}
ANSWER = {
    "kind": "rotation", "step": 5, "attempt": 1, "coordinates": 8, "changed": 1.0, "lists": 2, "kept": 1.0,
    "cosine_error": 0.0, "purity": None, "example": {"id": 1, "before": WORD, "after": WORD},
    "loss": {"before": 1.0, "after": 2.0}, "text": "training",
    "replayed": {"from": 0, "steps": 5, "equal": True, "difference": 0.0},
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return finished_run(tmp_path)


async def ask(app: FastAPI, run: RunFolder, bearer: dict[str, str], **body: Any) -> Answer:
    path = f"/api/runs/{run.id}/examinations"
    return await send(app, "POST", path, bearer, body)


async def get(app: FastAPI, run: RunFolder, path: str = "", **headers: str) -> Answer:
    return await call(
        app, "GET", f"/api/runs/{run.id}/examinations{path}", {"host": "127.0.0.1:8600", **headers}
    )


def read_requests(run: RunFolder, writer: ExaminationsWriter) -> list[Request]:
    """Do what the examiner does with what was asked before it answers."""
    reader = RequestsReader(run.path)
    reader.skip_applied(writer.last_applied())
    requests = reader.read_new()
    for request in requests:
        writer.add_applied(request, 1, 5)
    return requests


async def taken_up(app: FastAPI, run: RunFolder, bearer: dict[str, str]) -> str:
    """Ask a question, and let an examiner take it up. Returns its id."""
    asked_id = (await ask(app, run, bearer, **ROTATION)).json["id"]
    with ExaminationsWriter(run.examinations_path) as writer:
        read_requests(run, writer)
        writer.add_question(asked_id, attempt=1, step=5, kind="rotation", question=json.dumps(CANONICAL))
    return asked_id


async def test_asked_listed_answered(app: FastAPI, run: RunFolder, bearer: dict[str, str]) -> None:
    assert (await get(app, run)).json == {"items": []}
    asked = await ask(app, run, bearer, **ROTATION)
    assert asked.status == 202, asked.body
    asked_id = asked.json["id"]
    waiting = {
        "id": asked_id, "kind": "rotation", "step": 5, "attempt": 1, "question": CANONICAL, "state": "waiting",
        "share": 0.0, "activity": "", "problem": None, "code": None, "values": {}, "made": None,
    }  # fmt: skip
    assert asked.json == waiting
    assert asked.headers["location"] == f"/api/runs/{run.id}/examinations/{asked_id}"
    assert (await get(app, run)).json == {"items": [waiting]}
    assert (await get(app, run, f"/{asked_id}")).json == waiting | {"answer": None}
    with ExaminationsWriter(run.examinations_path) as writer:
        (request,) = read_requests(run, writer)
        assert (request.kind, request.body) == ("examine", CANONICAL)
        writer.add_question(asked_id, attempt=1, step=5, kind="rotation", question=json.dumps(CANONICAL))
        writer.begin(asked_id)
        writer.report(asked_id, 0.25, "recomputing step 3")
        running = (await get(app, run, f"/{asked_id}")).json
        assert (running["state"], running["share"], running["activity"]) == (
            "running",
            0.25,
            "recomputing step 3",
        )
        writer.finish(asked_id, json.dumps(ANSWER))
    done = await get(app, run, f"/{asked_id}")
    assert (done.json["state"], done.json["answer"]) == ("done", ANSWER)
    tag = done.headers["etag"]
    assert (await get(app, run, f"/{asked_id}", **{"if-none-match": tag})).status == 304
    # A stored answer needs no examiner.
    again = await ask(app, run, bearer, **CANONICAL)
    assert (again.status, again.json["state"]) == (202, "done")
    with ExaminationsWriter(run.examinations_path) as writer:
        assert read_requests(run, writer) == []


@pytest.mark.parametrize("code", ["step_not_finite", "of_a_newer_version"])
async def test_a_failed_question_has_its_reason_as_a_code_if_it_is_known(
    app: FastAPI, run: RunFolder, bearer: dict[str, str], code: ReasonCode
) -> None:
    asked_id = await taken_up(app, run, bearer)
    with ExaminationsWriter(run.examinations_path) as writer:
        writer.fail(asked_id, "step 5 is broken", give_reason(code, step=5))
    found = (await get(app, run, f"/{asked_id}")).json
    assert (found["state"], found["problem"], found["answer"]) == ("failed", "step 5 is broken", None)
    known = code == "step_not_finite"
    assert (found["code"], found["values"]) == ((code, {"step": 5}) if known else (None, {}))


@pytest.mark.parametrize(
    "stored",
    [
        "[",
        "[]",
        "7",
        '"x"',
        b"\xff",
        7,
        '{"code": ["a"]}',
        '{"code": "step_not_finite", "values": {"step": []}}',
        "[" * 10_000,
    ],
    ids=lambda stored: repr(stored)[:40],
)
async def test_an_invalid_stored_reason_is_not_sent(
    app: FastAPI, run: RunFolder, bearer: dict[str, str], stored: object
) -> None:
    asked_id = await taken_up(app, run, bearer)
    with ExaminationsWriter(run.examinations_path) as writer:
        writer.fail(asked_id, "step 5 is broken")
    with closing(sqlite3.connect(run.examinations_path)) as file, file:
        file.execute("UPDATE answers SET answer=?", (stored,))
    found = (await get(app, run, f"/{asked_id}")).json
    assert (found["state"], found["problem"], found["code"], found["values"]) == (
        "failed",
        "step 5 is broken",
        None,
        {},
    )


@pytest.mark.parametrize(
    "text", ["{}", "[1", json.dumps(ANSWER | {"kept": "all"}), json.dumps(ANSWER | {"kind": "x"})]
)
async def test_an_invalid_stored_answer_is_not_sent(
    app: FastAPI, run: RunFolder, bearer: dict[str, str], text: str
) -> None:
    asked_id = await taken_up(app, run, bearer)
    with ExaminationsWriter(run.examinations_path) as writer:
        writer.finish(asked_id, text)
    found = (await get(app, run, f"/{asked_id}")).json
    assert (found["state"], found["answer"]) == ("done", None)


async def test_cancelled_while_it_waits_and_not_once_it_is_done(
    app: FastAPI, run: RunFolder, bearer: dict[str, str]
) -> None:
    asked_id = (await ask(app, run, bearer, **ROTATION)).json["id"]
    path = f"/api/runs/{run.id}/examinations/{asked_id}"
    assert (await call(app, "DELETE", path, bearer)).status == 204
    with ExaminationsWriter(run.examinations_path) as writer:
        requests = read_requests(run, writer)
        assert [(request.kind, request.body) for request in requests[1:]] == [
            ("cancel_examination", {"id": asked_id})
        ]
        writer.add_question(asked_id, attempt=1, step=5, kind="rotation", question=json.dumps(CANONICAL))
        writer.finish(asked_id, "{}")
        assert (await call(app, "DELETE", path, bearer)).status == 204
        assert read_requests(run, writer) == []
    assert (await call(app, "DELETE", path[:-1] + "x", bearer)).status == 404


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"kind": "rotation", "step": 36}, 409, "step 36 has not been reached: this run is at step 35"),
        ({"kind": "rotation", "step": 36}, 409, '"code": "step_not_reached"'),
        ({"kind": "speak", "step": 1, "prompt": " "}, 422, '"code": "no_words"'),
        ({"kind": "microscope", "step": 1, "token": 40}, 422, "token: 40 is out of range for this run"),
        ({"kind": "transplant", "step": 1, "prompt": "dog", "into": "zzyzx"}, 422, ""),
    ],
)
async def test_an_impossible_question_is_refused_and_leaves_nothing(
    app: FastAPI, run: RunFolder, bearer: dict[str, str], body: dict[str, Any], status: int, said: str
) -> None:
    refused = await ask(app, run, bearer, **body)
    assert (refused.status, said in json.dumps(refused.json)) == (status, True), refused.body
    assert RequestsReader(run.path).read_new() == []


async def test_a_run_without_a_model(app: FastAPI, tmp_path: Path, bearer: dict[str, str]) -> None:
    run = make_run(RunStore(tmp_path))
    refused = await ask(app, run, bearer, **ROTATION)
    assert (refused.status, "has not begun" in refused.json["detail"]) == (409, True)
    run = make_run(RunStore(tmp_path))
    changed = run.recipe.corpus.model_copy(update={"kind": "recorded"})
    (run.path / "recipe.json").write_text(run.recipe.model_copy(update={"corpus": changed}).model_dump_json())
    refused = await ask(app, run, bearer, **ROTATION)
    assert (refused.status, "recorded from an external training loop" in refused.json["detail"]) == (
        409,
        True,
    )


async def test_asking_an_imported_run_needs_confirmation(
    app: FastAPI, run: RunFolder, bearer: dict[str, str]
) -> None:
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({IMPORTED_FACT: 1.0})
        writer.close(sealed=True)
    for refused in (
        await ask(app, run, bearer, **ROTATION),
        await ask(app, run, bearer, **ROTATION, confirmed=False),
    ):
        said = refused.json["detail"]
        assert refused.status == 409
        for part in ("was imported", "MB of memory", "2 layers of width 4", "confirmed=true"):
            assert part in said
    assert (await ask(app, run, bearer, **ROTATION, confirmed=True)).status == 202


async def test_a_run_that_is_trashed_takes_its_questions_along(
    app: FastAPI, run: RunFolder, bearer: dict[str, str]
) -> None:
    assert (await ask(app, run, bearer, **ROTATION)).status == 202
    assert (await call(app, "DELETE", f"/api/runs/{run.id}", bearer)).status == 204
    assert app.state.services.examiner_jobs.open_questions(run) == []
    (trashed,) = RunStore(run.path.parent).trashed()
    assert [request.kind for request in RequestsReader(trashed.path).read_new()] == ["examine"]


async def test_only_the_presenter_starts_an_examiner_ahead_and_not_for_an_import(
    app: FastAPI, run: RunFolder, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[str] = []

    def note(found: RunFolder) -> None:
        prepared.append(found.id)

    monkeypatch.setattr(app.state.services.examiner_jobs, "prepare", note)
    path = f"/api/runs/{run.id}/examiner"
    assert (await call(app, "POST", path, {"host": "127.0.0.1:8600"})).status in (401, 403)
    assert prepared == []
    assert (await call(app, "POST", path, bearer)).status == 204
    assert prepared == [run.id]
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({IMPORTED_FACT: 1.0})
        writer.close(sealed=True)
    assert (await call(app, "POST", path, bearer)).status == 204
    assert prepared == [run.id]
