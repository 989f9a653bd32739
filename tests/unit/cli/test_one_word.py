"""A run that was killed is `interrupted`, and a loss that is unknown is left out or null, wherever a person or a program looks."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from click.testing import CliRunner
from starlette.applications import Starlette

import lamplighter
from lamplighter.cli.agents.reader import AgentReader
from lamplighter.cli.agents.tools import AgentTools
from lamplighter.cli.app import cli
from lamplighter.lessons.library import course_library
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.apps.reading_app import ask, create_reading_app
from tests.support.folders import FakeTrainer, make_run


def train(folder: Path, loss: float = math.nan) -> FakeTrainer:
    return FakeTrainer(make_run(RunStore(folder)), loss_of=lambda _: loss).begin().train(5)


@pytest.fixture
def killed(tmp_path: Path) -> RunFolder:
    """Return a run whose trainer was killed and whose losses are unknown."""
    trainer = train(tmp_path / "runs")
    trainer.crash()
    return trainer.run


def typed(folder: Path, *words: str) -> str:
    done = CliRunner().invoke(cli, ["--runs", str(folder), *words])
    assert done.exit_code == 0, done.output
    return done.output


def no_constant(name: str) -> Any:
    raise AssertionError(f"{name} is no JSON")


def on_the_terminal(run: RunFolder) -> tuple[str, object]:
    (line,) = (line for line in typed(run.path.parent, "runs").splitlines() if line.startswith(run.id))
    return line.split()[1], "loss" in line or None


def as_lines_of_json(run: RunFolder) -> tuple[str, object]:
    told = json.loads(typed(run.path.parent, "runs", "--json"), parse_constant=no_constant)
    return told["state"], told["loss"]


def in_python(run: RunFolder) -> tuple[str, object]:
    status = lamplighter.open(run.path).status
    return status.state, status.loss


def over_rest(run: RunFolder) -> tuple[str, object]:
    app: Starlette = create_reading_app(run.path.parent, course_library(None))
    (one,) = json.loads(anyio.run(ask, app, "/api/runs"), parse_constant=no_constant)["items"]
    chosen = json.loads(anyio.run(ask, app, f"/api/runs?state={one['status']['state']}"))["items"]
    assert [each["id"] for each in chosen] == [run.id]
    return one["status"]["state"], one["status"]["loss"]


def to_an_agent(run: RunFolder) -> tuple[str, object]:
    told = anyio.run(AgentTools(AgentReader(run.path.parent)).find_runs)
    assert told.structured_content is not None
    (one,) = told.structured_content["items"]
    return one["state"], one["loss"]


DOORS = (on_the_terminal, as_lines_of_json, in_python, over_rest, to_an_agent)


@pytest.mark.parametrize("door", DOORS)
def test_a_killed_run_is_interrupted(killed: RunFolder, door: Callable[[RunFolder], object]) -> None:
    assert door(killed) == ("interrupted", None)


@pytest.mark.parametrize("door", DOORS)
def test_a_run_that_trains_is_running(tmp_path: Path, door: Callable[[RunFolder], tuple[str, Any]]) -> None:
    trainer = train(tmp_path / "runs", loss=2.5)
    state, loss = door(trainer.run)
    assert state == "running"
    assert loss
    trainer.writer.set_facts({"phase": "paused"})
    trainer.crash()
    # It was paused by a person, and is so when a trainer takes it again.
    assert door(trainer.run)[0] == "paused"


def test_a_difference_of_unknown_losses_tells_none(killed: RunFolder) -> None:
    other = train(killed.path.parent)
    other.crash()
    for words in (["--at", "4"], ["--json"]):
        said = typed(killed.path.parent, "diff", killed.id, other.run.id, *words)
        assert "nan" not in said.lower().replace("finance", ""), said
