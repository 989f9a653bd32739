"""The board of claims, over REST."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.claims import board
from lamplighter.claims.board import CLAIMS
from lamplighter.claims.claim import ClaimRole, ClaimState, Figure, Finding, Link, tell
from lamplighter.claims.control import make_control_recipe
from lamplighter.claims.evidence import Evidence
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.wire.vocabulary import Relation, Vocabulary
from tests.support.asgi import HOST, call
from tests.support.evidences import gather, microscope, store_answer, whole_answer
from tests.support.folders import TOKENS, FakeTrainer, V, finished_run, make_run
from tests.unit.serving.routes.api_calls import send


async def test_every_claim_has_a_state_and_what_it_waits_for(app: FastAPI, tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    path = f"/api/runs/{run.id}/claims"
    answer = await call(app, "GET", path, {"host": HOST})
    assert answer.status == 200, answer.body
    found = answer.json
    assert [row["number"] for row in found["items"]] == list(range(1, 29))
    assert (found["step"], found["training"]) == (35, False)
    by_number = {row["number"]: row for row in found["items"]}
    assert (by_number[5]["state"], by_number[5]["waits_for"] is None) == ("unmeasured", False)
    assert by_number[6]["figures"][0]["unit"] == "share"
    assert len({row["group"] for row in found["items"]}) == 6
    asked = found["questions"][0]
    assert (asked["question"]["kind"], asked["answered"], asked["by_button"]) == ("microscope", False, False)
    held = {"host": HOST, "if-none-match": answer.headers["etag"]}
    assert (await call(app, "GET", path, held)).status == 304

    # A measure, and an answer, make it another board.
    writer = MeasuresWriter(run.measures_path)
    writer.commit(1, 20, {"purity_10nn": 0.97})
    writer.close()
    measured = await call(app, "GET", path, held)
    assert measured.status == 200
    assert {"code": "told_apart", "values": {"share": 0.97, "step": 20}} in measured.json["items"][1][
        "reason"
    ]
    held["if-none-match"] = measured.headers["etag"]
    store_answer(run, asked["question"], whole_answer("microscope", 35, microscope()))
    answered = (await call(app, "GET", path, held)).json
    assert answered["items"][4]["state"] == "conditional"
    assert answered["questions"][0]["answered"]


async def test_the_board_of_a_run_that_trains_stays_for_a_hundred_steps(app: FastAPI, tmp_path: Path) -> None:
    trainer = FakeTrainer(make_run(RunStore(tmp_path), steps=400)).begin().train(120)
    path = f"/api/runs/{trainer.run.id}/claims"
    first = await call(app, "GET", path, {"host": HOST})
    assert (first.json["step"], first.json["training"]) == (100, True)
    trainer.train(30)
    held = {"host": HOST, "if-none-match": first.headers["etag"]}
    assert (await call(app, "GET", path, held)).status == 304
    trainer.train(60)
    assert (await call(app, "GET", path, held)).json["step"] == 200
    trainer.crash()


async def test_the_board_and_the_geometry_routes_give_the_same_shares(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path), prepared=False)
    # More questions than a sample of a few hundred would keep.
    pairs = tuple((i, i + 18) for i in range(2, 20))
    vocabulary = Vocabulary(TOKENS, np.arange(V, 0, -1), {}, (Relation("shift", pairs),))
    run.write_corpus(np.arange(V, dtype=np.uint32), vocabulary, "{}")
    trainer = FakeTrainer(run)
    # For every second pair, the nearest of the first word is the second.
    trainer.matrix[20:38:2] = trainer.matrix[2:20:2] * np.float32(1.01)
    trainer.begin().train(5).end()
    answer = await call(app, "GET", f"/api/runs/{run.id}/geometry/relations?step=5", {"host": HOST})
    [shown] = answer.json["items"]
    found = gather(run).relations["shift"]
    assert (shown["questions"], shown["nearest_of_c"]) == (18 * 17, pytest.approx(0.5, abs=0.1))
    assert (found.score, found.nearest_of_c) == (shown["score"], shown["nearest_of_c"])


async def test_a_run_without_words_claims_nothing(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path), prepared=False)
    assert (await call(app, "GET", f"/api/runs/{run.id}/claims", {"host": HOST})).status == 404
    begun = make_run(RunStore(tmp_path))
    answer = await call(app, "GET", f"/api/runs/{begun.id}/claims", {"host": HOST})
    assert {row["state"] for row in answer.json["items"]} <= {"holds", "unmeasured"}


async def test_the_board_has_a_column_for_the_control_as_it_is_now(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(evidence: Evidence) -> Finding:
        spread = Figure("labels_dealt_at_random", 0.1, "share", low=0.08, high=math.inf, draws=20)
        if evidence.control is None:
            return Finding(
                ClaimState.FAILING,
                (tell("one_city"),),
                (Figure("steps_there_were", evidence.step),),
                spread,
            )
        return Finding(ClaimState.HOLDS, (), (), spread)

    def open_view(_evidence: Evidence) -> Link:
        return Link("first_steps", "?panel=measures", breaks=True)

    role = (ClaimRole.CLAIM, ClaimRole.CHECK, ClaimRole.RECIPE, ClaimRole.DEFINITION)
    rows = [replace(claim, find=find, break_by=open_view) for claim in CLAIMS[:4]]
    monkeypatch.setattr(
        board, "CLAIMS", tuple(replace(row, role=of) for row, of in zip(rows, role, strict=True))
    )
    run = finished_run(tmp_path)
    path = f"/api/runs/{run.id}/claims"
    alone = await call(app, "GET", path, {"host": HOST})
    assert (alone.json["control"], alone.json["items"][0]["control"]) == (None, None)
    assert alone.json["counts"]["claim"] == {"holds": 0, "conditional": 0, "failing": 1, "unmeasured": 0}

    # A run of the same recipe and words appears: another board, and another with each hundred steps of it.
    control = RunStore(tmp_path).create(make_control_recipe(run.recipe))
    control.write_corpus(np.asarray(run.token_ids), run.vocabulary, "{}")
    trainer = FakeTrainer(control).begin().train(120)
    held = {"host": HOST, "if-none-match": alone.headers["etag"]}
    beside = await call(app, "GET", path, held)
    assert beside.status == 200
    assert beside.json["control"] == {"run": control.id, "step": 100, "training": True}
    claim = beside.json["items"][0]
    assert [row["role"] for row in beside.json["items"]] == ["claim", "check", "recipe", "definition"]
    assert (claim["state"], claim["control"]["state"]) == ("holds", "failing")
    assert claim["control"]["reason"] == [{"code": "one_city", "values": {}}]
    assert claim["control"]["figures"][0]["value"] == 100
    for null in (claim["null"], claim["control"]["null"]):
        # JSON has no word for infinity.
        assert (null["value"], null["low"], null["high"], null["draws"]) == (0.1, 0.08, None, 20)
    assert claim["break_by"]["breaks"]
    # Each role is counted apart.
    assert [counts["holds"] for counts in beside.json["counts"].values()] == [1, 1, 1, 1]
    held["if-none-match"] = beside.headers["etag"]
    trainer.train(30)
    assert (await call(app, "GET", path, held)).status == 304
    trainer.train(60)
    assert (await call(app, "GET", path, held)).json["control"]["step"] == 200
    trainer.crash()


async def test_the_page_begins_a_control_by_the_recipe_that_the_server_tells(
    app: FastAPI, bearer: dict[str, str], tmp_path: Path
) -> None:
    run = finished_run(tmp_path)
    recipe = (await call(app, "GET", f"/api/runs/{run.id}", {"host": HOST})).json["recipe"]
    recipe["corpus"]["shuffle_words"] = True
    made = await send(app, "POST", "/api/runs", bearer, {"recipe": recipe})
    assert made.status == 201, made.body
    control = RunStore(tmp_path).find(made.json["id"])
    path = f"/api/runs/{run.id}/claims"
    assert (await call(app, "GET", path, {"host": HOST})).json["control"] is None
    # Once its text is read.
    control.write_corpus(np.asarray(run.token_ids), run.vocabulary, "{}")
    beside = (await call(app, "GET", path, {"host": HOST})).json["control"]
    assert beside == {"run": control.id, "step": 0, "training": True}
