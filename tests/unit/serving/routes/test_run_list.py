"""The list of runs: selected and sorted, by what the caller may see."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import write_run_name
from lamplighter.runfolder.run_store import RunStore
from tests.support.folders import FakeTrainer, finished_run, make_run
from tests.support.swept import make_set
from tests.unit.serving.routes.api_calls import get

pytestmark = pytest.mark.anyio


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
    assert (await get(app, "/api/runs?state=asleep", 422)).json["errors"]
    assert (await get(app, f"/api/runs?q={'x' * 81}", 422)).json["errors"]


@pytest.mark.usefixtures("runs")
async def test_runs_are_sorted(app: FastAPI) -> None:
    assert await names(app, sort="loss") == ["Port 10", "Night", "Port 9", "broken", "new"]
    assert await names(app, sort="steps") == ["Night", "Port 9", "Port 10", "new", "broken"]
    # 9 is before 10.
    assert await names(app, sort="name") == ["broken", "new", "Night", "Port 9", "Port 10"]
    assert (await get(app, "/api/runs?sort=size", 422)).json["errors"]


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
