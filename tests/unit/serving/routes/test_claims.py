"""The board of claims, over REST."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.measures import MeasuresWriter
from tests.unit.claims.evidences import microscope, store_answer
from tests.unit.serving.asgi import HOST, call
from tests.unit.serving.folders import FakeTrainer, finished_run, make_run

pytestmark = pytest.mark.anyio


async def test_every_claim_has_a_state_and_what_it_waits_for(app: FastAPI, tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    path = f"/api/runs/{run.id}/claims"
    answer = await call(app, "GET", path, {"host": HOST})
    assert answer.status == 200, answer.body
    board = answer.json
    assert [row["number"] for row in board["items"]] == list(range(1, 29))
    assert (board["step"], board["training"]) == (35, False)
    by_number = {row["number"]: row for row in board["items"]}
    assert (by_number[5]["state"], by_number[5]["waits_for"] is None) == ("unmeasured", False)
    assert by_number[6]["figures"][1]["unit"] == "share"
    assert len({row["group"] for row in board["items"]}) == 6
    asked = board["questions"][0]
    assert (asked["question"]["kind"], asked["answered"], asked["by_button"]) == ("microscope", False, False)
    held = {"host": HOST, "if-none-match": answer.headers["etag"]}
    assert (await call(app, "GET", path, held)).status == 304

    # A measure, and an answer, make it another board.
    writer = MeasuresWriter(run.measures_path)
    writer.commit(1, 35, {"length_log_count_spearman": 0.9})
    writer.close()
    measured = await call(app, "GET", path, held)
    assert measured.status == 200
    assert measured.json["items"][2]["state"] == "holds"
    held["if-none-match"] = measured.headers["etag"]
    store_answer(run, asked["question"], {"step": 35, **microscope()})
    answered = (await call(app, "GET", path, held)).json
    assert answered["items"][4]["state"] == "holds"
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


async def test_a_run_without_words_claims_nothing(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path), prepared=False)
    assert (await call(app, "GET", f"/api/runs/{run.id}/claims", {"host": HOST})).status == 404
    begun = make_run(RunStore(tmp_path))
    answer = await call(app, "GET", f"/api/runs/{begun.id}/claims", {"host": HOST})
    assert {row["state"] for row in answer.json["items"]} <= {"holds", "unmeasured"}
