"""Runs and zips that the code of earlier commits wrote are opened, shown, priced, continued, exported and imported.

`tests/golden/make_old_run.py` made them. They are kept for good: a change that a run of an earlier day does not survive fails here.
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from fastapi import FastAPI

import lamplighter
from lamplighter.contract.sentences import SENTENCES
from lamplighter.cost.run_cost import read_run_cost
from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.archive.run_zip import write_zip
from lamplighter.exports.output import no_progress
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.spent_energy import read_run_energy
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.examinations import ExaminationsReader
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.apps.app import create_app
from lamplighter.training.worker import train
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import PORT, call

GOLDEN = Path(__file__).parents[2] / "golden" / "runs"
COMMITS = ("3e900acf", "22c8f3e4", "2516882f", "32c1ad4e", "98894e63", "1ddd781c")
STEPS, INTERRUPTED_STEPS = 19, 60
"""The last steps of the recipes of the finished and of the interrupted runs."""
WITH_ENERGY = ("32c1ad4e", "98894e63", "1ddd781c")
QUERIES = {
    "step": str(STEPS), "token_id": "5", "token_ids": "5,6", "layout": "1", "a": "5", "b": "6", "c": "7",
    "from": "5,6", "to": "7,8", "pairs": "5-6,7-8", "part": "1",
}  # fmt: skip
ABSENT = {
    "/api/runs/{run}/difference/layout",
    "/api/runs/{run}/exports/{export}",
    "/api/runs/{run}/exports/{export}/file",
}
"""Routes of what these runs do not have: a common origin, and an export."""

ROUTES = json.loads((Path(__file__).parents[3] / "frontend" / "openapi.json").read_text())["paths"]

by_commit = pytest.mark.parametrize("commit", COMMITS)


def unpack(commit: str, runs: Path, *kinds: str) -> None:
    with zipfile.ZipFile(GOLDEN / commit / "folders.zip") as packed:
        packed.extractall(runs, [name for name in packed.namelist() if name.startswith(kinds)])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack all of them into one folder."""
    folder = tmp_path_factory.mktemp("golden") / "runs"
    for commit in COMMITS:
        unpack(commit, folder, "finished/", "interrupted/")
        for kind in ("finished", "interrupted"):
            (folder / kind).rename(folder / f"{kind}-{commit}")
    return folder


@pytest.fixture(scope="module")
def app(runs: Path) -> FastAPI:
    return create_app(ServerSettings(runs, port=PORT, roles=()))


@by_commit
def test_python_opens_it(commit: str, runs: Path):
    run = lamplighter.open(runs / f"finished-{commit}")
    assert run.status.phase == "finished"
    losses = [pulse.loss for pulse in run.steps()]
    assert len(losses) == STEPS
    assert np.isfinite(losses).all()
    assert run.snapshot(STEPS).shape == (len(run.vocabulary), run.recipe.model.dim)
    assert len(run.path("cat").steps) > 1
    assert run.layout().step == STEPS
    assert STEPS in run.measures()
    stopped = RunFolder(runs / f"interrupted-{commit}")
    with StepsReader(stopped.steps_path) as reader:
        assert reader.phase() == Phase.INTERRUPTED
        assert 0 < reader.newest_step()[1] < INTERRUPTED_STEPS
        assert [request.kind for request in reader.applied()] == ["stop"]


@by_commit
@pytest.mark.anyio
async def test_every_route_shows_it(commit: str, app: FastAPI):
    run, other = f"finished-{commit}", f"interrupted-{commit}"
    listed = {one["id"]: one for one in (await call(app, "GET", "/api/runs")).json["items"]}
    assert listed[run]["readable"]
    assert listed[other]["readable"]
    asked = (await call(app, "GET", f"/api/runs/{run}/examinations")).json["items"]
    # Commits before 26 November could not be asked.
    assert len(asked) == {"2516882f": 5, "32c1ad4e": 9, "98894e63": 9, "1ddd781c": 9}.get(commit, 0)
    values = QUERIES | {"run": run, "with": other, "examination": asked[0]["id"] if asked else ""}
    absent = set[str]()
    for route, methods in ROUTES.items():
        needed = [one["name"] for one in methods.get("get", {}).get("parameters", []) if one.get("required")]
        if (
            not needed
            or not route.startswith("/api/runs/{run}")
            or (needed[-1] == "examination" and not asked)
        ):
            continue
        path = re.sub(r"{(\w+)}", lambda found: quote(values.get(found[1], "0")), route)
        query = "&".join(f"{name}={quote(values[name])}" for name in needed if f"{{{name}}}" not in route)
        answer = await call(app, "GET", f"{path}?{query}")
        if answer.status != 200:
            absent.add(route)
            assert answer.status in (404, 422), (route, answer.body)
    assert absent == ABSENT
    for one in asked:
        assert (await call(app, "GET", f"/api/runs/{run}/examinations/{one['id']}")).status == 200
    # These stored English sentences, which the page has in German by their codes.
    for name, code in ((run, "steps_done"), (other, "stopped")):
        events = (await call(app, "GET", f"/api/runs/{name}/events")).json["items"]
        status = (await call(app, "GET", f"/api/runs/{name}")).json["status"]
        assert (events[-1]["code"], events[-1]["message"]) == (code, status["message"])
        assert (status["code"], status["values"]) == (code, events[-1]["values"])
        assert SENTENCES.tell(code, status["values"], "de") != status["message"]


@by_commit
@pytest.mark.parametrize("kind", ["finished", "interrupted"])
def test_it_is_continued_and_priced(commit: str, kind: str, tmp_path: Path):
    unpack(commit, tmp_path, f"{kind}/")
    run = RunFolder(tmp_path / kind)
    with StepsReader(run.steps_path) as reader:
        assert (read_run_energy(reader) is not None) == (commit in WITH_ENERGY)
        before = reader.digests(0, 99)
    end = STEPS + 5 if kind == "finished" else INTERRUPTED_STEPS
    RequestsWriter(run.path, "tests").add("continue", {"steps": end - STEPS} if kind == "finished" else {})
    assert train(run) == Phase.FINISHED
    with StepsReader(run.steps_path) as reader:
        assert reader.newest_step()[1] == end
        assert before.items() <= reader.digests(0, 99).items()
        cost = read_run_cost(run, reader, [0, end])
    assert cost.energy is not None
    assert cost.energy.since == (0 if commit in WITH_ENERGY else max(before))
    assert cost.curve[-1].joules is not None


@by_commit
def test_it_is_exported_and_both_zips_are_imported(commit: str, runs: Path, tmp_path: Path):
    run = RunFolder(runs / f"finished-{commit}")
    write_zip(run, tmp_path / "new.zip", no_progress)
    with StepsReader(run.steps_path) as reader:
        digests, energy = reader.digests(0, STEPS), read_run_energy(reader)
    questions = count_answers(run)
    for zipped in (GOLDEN / commit / "exported.zip", tmp_path / "new.zip"):
        imported, _ = import_zip(RunStore(tmp_path / "imported"), zipped, no_progress)
        with StepsReader(imported.steps_path) as reader:
            assert reader.digests(0, STEPS) == digests
            assert read_run_energy(reader) == energy
        assert lamplighter.open(imported.path).layout().step == STEPS
        # The defaults of a question of `better` are others since: what was asked is no question of today.
        assert count_answers(imported) == questions - (commit == "32c1ad4e")


def count_answers(run: RunFolder) -> int:
    if not run.examinations_path.exists():
        return 0
    with ExaminationsReader(run.examinations_path) as reader:
        return sum(entry.state == "done" for entry in reader.entries())
