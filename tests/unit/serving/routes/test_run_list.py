"""The list of runs: selected and sorted, by what the caller may see.


Fewer steps than there are, with the extremes of their losses.
A table too large to be held: what reads rows is answered as of a small one, what needs all is refused with the reason.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from fastapi import FastAPI

import lamplighter
from lamplighter.model.batches import batch_positions
from lamplighter.runfolder.matrices import stored_matrix
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import write_run_name
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepRecord
from lamplighter.serving.reading import run_catalog
from lamplighter.serving.reading.step_reading import MIN_POINTS, keep_extremes
from lamplighter.web.http import response_cost
from lamplighter.wire.frames import encode
from tests.support.folders import FakeTrainer, finished_run, make_run, pulse
from tests.support.swept import make_set
from tests.unit.serving.routes.api_calls import get
from tests.unit.serving.routes.recorded_steps import ask


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, RunFolder]:
    """Make five runs, the first the oldest; the last cannot be read."""
    made: dict[str, RunFolder] = {}
    for age, (name, steps, loss) in enumerate(
        (("Port 9", 30, 3.0), ("Port 10", 12, 1.0), ("Night", 40, 2.0))
    ):
        made[name] = make_run(RunStore(tmp_path))
        trainer = FakeTrainer(made[name], loss_of=lambda _, loss=loss: loss).begin().train(steps)
        trainer.end("interrupted" if name == "Night" else "finished")
        os.utime(made[name].path / "recipe.json", (1_000 + age, 1_000 + age))
    made["new"] = make_run(RunStore(tmp_path))
    made["broken"] = finished_run(tmp_path)
    (made["broken"].path / "recipe.json").write_text("{")
    for name, run in made.items():
        write_run_name(run.path, name)
    for name, time in (("new", 2_000), ("broken", 3_000)):
        os.utime(made[name].path / "recipe.json", (time, time))
    return made


async def names(app: FastAPI, **query: str | list[str]) -> list[str]:
    answer = await get(app, f"/api/runs?{urlencode(query, doseq=True)}")
    return [one["name"] for one in answer.json["items"]]


@pytest.mark.usefixtures("runs")
async def test_runs_are_selected_by_words_and_state(app: FastAPI) -> None:
    assert await names(app) == ["broken", "new", "Night", "Port 10", "Port 9"]
    assert await names(app, q="port") == ["Port 10", "Port 9"]
    assert await names(app, q="9 PORT") == ["Port 9"]
    assert await names(app, q="harbour") == []
    assert await names(app, state="finished") == ["Port 10", "Port 9"]
    assert await names(app, state=["interrupted", "unreadable"]) == ["broken", "Night"]
    assert await names(app, state="waiting", q="new") == ["new"]


@pytest.mark.usefixtures("runs")
async def test_runs_are_sorted(app: FastAPI) -> None:
    assert await names(app, sort="loss") == ["Port 10", "Night", "Port 9", "broken", "new"]
    assert await names(app, sort="steps") == ["Night", "Port 9", "Port 10", "new", "broken"]
    # 9 is before 10.
    assert await names(app, sort="name") == ["broken", "new", "Night", "Port 9", "Port 10"]


async def test_the_members_of_a_set_are_runs_that_name_it(
    app: FastAPI, runs: dict[str, RunFolder], tmp_path: Path
) -> None:
    run_set = make_set(tmp_path)
    ids = [member.run for member in run_set.facts.members]
    listed = (await get(app, "/api/runs")).json["items"]
    assert {one["id"]: one["set"] for one in listed} == {
        **{run.id: None for run in runs.values()},
        **dict.fromkeys(ids, run_set.id),
    }
    found = (await get(app, f"/api/runs?set={run_set.id}")).json["items"]
    assert [one["id"] for one in found] == ids
    assert len((await get(app, "/api/runs?set=")).json["items"]) == len(runs)
    assert (await get(app, f"/api/runs/{ids[2]}")).json["set"] == run_set.id


async def test_steps(app: FastAPI, run: RunFolder) -> None:
    base = f"/api/runs/{run.id}/steps"
    items = (await get(app, base)).json["items"]
    assert [item["step"] for item in items] == list(range(1, 36))
    assert set(items[0]) == {
        "attempt", "step", "time", "loss", "learning_rate", "tokens_per_second", "step_seconds",
        "observe_seconds", "batch_rows", "gradient_rows", "moved_rows", "verified", "layer_norms", "ever_rows",
    }  # fmt: skip
    some = (await get(app, f"{base}?from=5&to=30&every=10")).json["items"]
    assert [item["step"] for item in some] == [5, 15, 25]
    assert (await get(app, f"{base}?from=40")).json["items"] == []
    assert (await get(app, f"{base}?from=9&to=3")).json["items"] == []
    one = (await get(app, f"{base}/7")).json
    positions = batch_positions(run.recipe, 500, 7)
    assert one["tokens"] == run.token_ids[positions].tolist()
    assert one["gradient"][0][1] == 1.0
    assert len(one["moved"]) == one["moved_rows"]
    assert "35" in (await get(app, f"{base}/36", 404)).json["detail"]
    assert (await get(app, f"{base}/7/text")).json == {"step": 7, "tokens": one["tokens"][:1]}
    assert (await get(app, f"{base}/7/text?sequences=2")).json["tokens"] == one["tokens"][:2]
    assert "35" in (await get(app, f"{base}/36/text", 404)).json["detail"]
    assert (await get(app, f"/api/runs/{run.id}/events")).json["items"][0]["kind"] == "finished"
    assert (await get(app, f"/api/runs/{run.id}/measures")).json["items"] == [
        {"step": 10, "values": {"purity": 0.5}},
        {"step": 20, "values": {"purity": 0.75}},
    ]


async def test_a_loss_that_is_not_a_number_is_null(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin()
    trainer.writer.commit(StepRecord(1, encode(pulse(1, 1, loss=float("nan"))), b"x"))
    trainer.crash()
    assert (await get(app, f"/api/runs/{run.id}/steps")).json["items"][0]["loss"] is None
    assert (await get(app, f"/api/runs/{run.id}")).json["status"]["loss"] is None


async def test_of_many_events_the_newest_come_and_the_others_by_page(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin()
    for number in range(1, 2_301):
        trainer.writer.add_event(number, "pause", "")
    trainer.crash()
    base = f"/api/runs/{run.id}/events"

    async def numbers(query: str = "") -> list[int]:
        return [event["step"] for event in (await get(app, base + query)).json["items"]]

    assert await numbers() == list(range(1_301, 2_301))
    assert await numbers("?limit=3") == [2_298, 2_299, 2_300]
    assert await numbers("?after=0") == list(range(1, 1_001))
    assert await numbers("?after=2000") == list(range(2_001, 2_301))
    assert await numbers("?after=2300") == []


def with_losses(folder: Path, losses: list[float]) -> FakeTrainer:
    trainer = FakeTrainer(make_run(RunStore(folder)))
    trainer.writer.start_attempt(0)
    with trainer.writer.transaction():
        for step, loss in enumerate(losses, start=1):
            trainer.writer.commit(StepRecord(step, encode(pulse(1, step, loss=loss)), b"x"))
    return trainer


async def test_fewer_steps_keep_the_extremes(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = [2.0 + math.sin(step / 50) for step in range(1_000)]
    losses[123], losses[700], losses[801] = 9.0, -4.0, float("nan")
    trainer = with_losses(tmp_path, losses)
    run = trainer.run
    told = (await ask(app, run, "steps?most=40")).json
    by_step = {item["step"]: item["loss"] for item in told["items"]}
    assert (told["extremes"], told["every"]) == (True, 1)
    assert len(by_step) <= 40
    assert {1, 124, 701, 802, 1_000} <= set(by_step)
    assert (by_step[124], by_step[701], by_step[802]) == (9.0, -4.0, None)
    assert list(by_step) == sorted(by_step)
    part = (await ask(app, run, "steps?from=100&to=150&most=20")).json
    assert 124 in [item["step"] for item in part["items"]]
    assert all(100 <= item["step"] <= 150 for item in part["items"])
    # The range has no more steps than `most`, so all are listed.
    all_there = (await ask(app, run, "steps?from=100&to=119&most=20")).json
    assert [item["step"] for item in all_there["items"]] == list(range(100, 120))
    plain = (await ask(app, run, "steps?every=10")).json
    assert (plain["every"], plain["extremes"], len(plain["items"])) == (10, False, 100)
    # A run too long to search for extremes says so.
    monkeypatch.setattr("lamplighter.serving.reading.step_reading.LAST_INDEXED_STEP", 500)
    far = (await ask(app, run, "steps?most=40")).json
    assert (far["extremes"], far["every"], len(far["items"])) == (False, 25, 40)
    trainer.crash()


async def test_losses_follow_the_run(app: FastAPI, tmp_path: Path) -> None:
    trainer = with_losses(tmp_path, [5.0] * 300)
    run = trainer.run
    await ask(app, run, "steps?most=20")
    # A new attempt supersedes the last hundred.
    trainer.writer.start_attempt(201)
    for step in range(201, 301):
        trainer.writer.commit(
            StepRecord(step, encode(pulse(2, step, loss=7.0 if step == 250 else 6.0)), b"x")
        )
    items = (await ask(app, run, "steps?most=20")).json["items"]
    assert 250 in [item["step"] for item in items]
    assert {item["loss"] for item in items if item["step"] > 200} == {6.0, 7.0}
    assert {item["loss"] for item in items if item["step"] <= 200} == {5.0}
    trainer.crash()


def test_extremes_are_kept_of_every_series() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(5_000), rng.standard_normal(5_000)
    a[17], a[4_321], b[2_500], b[33] = 99, -99, 99, np.nan
    for most in (MIN_POINTS, 51, 500, 4_999):
        kept = keep_extremes([a, b], most)
        assert len(kept) <= most
        assert {0, 17, 33, 2_500, 4_321, 4_999} <= set(kept.tolist())
        assert (np.diff(kept) > 0).all()
    assert keep_extremes([a, b], 5_000).tolist() == list(range(5_000))
    assert keep_extremes([np.empty(0)], 20).tolist() == []
    assert len(keep_extremes([np.full(100, np.nan)], 20)) <= 20


V, D = 40, 6
BY_ROWS = (
    "tokens/3",
    "neighbours?token_id=3&k=5",
    "pairs?token_ids=1,2,30",
    "norms?format=json",
    "geometry/lengths",
    "geometry/stayed",
    "geometry/analogy?a=1&b=2&c=3",
    "geometry/axis?from=1,2&to=5,6",
    "geometry/ranks?pairs=1-2,7-30",
)
WHOLE = ("snapshots/1", "geometry/chance", "geometry/relations")


@pytest.fixture
def base(tmp_path: Path) -> str:
    random = np.random.default_rng(0)
    first = random.normal(size=(V, D)).astype(np.float16)
    later = np.where(np.arange(V)[:, None] < 9, first, first + random.normal(size=(V, D))).astype(np.float16)
    words = [f"w{at}" for at in range(V)]
    run = lamplighter.series(tmp_path / "halves", [first, later], words, maps=False)
    return f"/api/runs/{run.id}"


async def test_rows_of_a_large_table_give_the_answers_of_a_small_one(
    app: FastAPI, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [(await get(app, f"{base}/{path}")).json for path in BY_ROWS]
    for module, name in ((stored_matrix, "MAX_WHOLE_BYTES"), (run_catalog, "_MATRIX_BYTES")):
        monkeypatch.setattr(module, name, 4 * V * D - 1)
    for path, wanted in zip(BY_ROWS, expected, strict=True):
        answer = (await get(app, f"{base}/{path}")).json
        assert answer == approximately(wanted), path


async def test_what_needs_the_whole_of_a_large_table_says_so(
    app: FastAPI, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in (
        (stored_matrix, "MAX_WHOLE_BYTES"),
        (run_catalog, "_MATRIX_BYTES"),
        (response_cost, "_MATRIX_BYTES"),
    ):
        monkeypatch.setattr(module, name, 4 * V * D - 1)
    for path in WHOLE:
        answer = await get(app, f"{base}/{path}", 422)
        assert "GB" in answer.json["detail"], path


def approximately(value: Any) -> Any:
    """Return a JSON value whose numbers compare to the rounding of float32."""
    if isinstance(value, dict):
        return {name: approximately(part) for name, part in value.items()}
    if isinstance(value, list):
        return [approximately(part) for part in value]
    return pytest.approx(value, rel=1e-5, abs=1e-6) if isinstance(value, float) else value
