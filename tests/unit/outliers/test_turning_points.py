from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from fastapi import FastAPI

import lamplighter
from lamplighter.cli.asking.why import why_command
from lamplighter.contract.answers import HeadsAnswer, dump_answer
from lamplighter.contract.answers.parts import Replayed
from lamplighter.contract.answers.reading import HeadScores, HeadsReading
from lamplighter.outliers.turning_points.reading import choose_extent, find_turning_points
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.step_numbers import NUMBERS_FACT
from lamplighter.runfolder.tables.examinations import ExaminationsWriter
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from tests.support.asgi import call
from tests.support.folders import finished_run
from tests.support.synthetic_runs.learning_curves import draw_curve, draw_noise

LAST, EVERY, TURNS = 500, 10, 250
COUNT = LAST // EVERY + 1


def curves() -> dict[str, np.ndarray]:
    noise = {
        name: 0.01 * draw_noise(COUNT, 0.3, np.random.default_rng(seed))
        for seed, name in enumerate(("purity_10nn", "loss_held_out", "effective_rank", "eval/loss"))
    }
    return {
        "purity_10nn": 0.1 + 0.8 * draw_curve("late start", COUNT) + noise["purity_10nn"],
        "loss_held_out": 7 - 5 * draw_curve("exponential", COUNT) + noise["loss_held_out"],
        # It changes by less than 2 %.
        "effective_rank": 60 + draw_curve("reversal", COUNT) / 2 + noise["effective_rank"],
        "eval/loss": 3 - draw_curve("reversal", COUNT) + noise["eval/loss"],
        "purity_chance": draw_curve("jump", COUNT),
        "coverage": draw_curve("kink", COUNT),
    }


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = finished_run(tmp_path, LAST)
    with MeasuresWriter(folder.measures_path) as writer:
        for index in range(COUNT):
            values = {name: float(values[index]) for name, values in curves().items()}
            writer.commit(1, EVERY * index, values)
    return folder


def test_the_curves_of_a_run_turn_where_they_were_bent(run: RunFolder) -> None:
    told = find_turning_points(run)
    assert told.judged == ["eval/loss", "loss_held_out", "purity_10nn"]
    assert {item.curve: abs(item.step - TURNS) <= 5 * EVERY for item in told.items} == {
        "eval/loss": True,
        "purity_10nn": True,
    }
    first = told.items[0]
    assert (first.curve, first.kind) == ("purity_10nn", "begins")
    assert first.between[0] <= first.step <= first.between[1]
    assert first.by_chance < told.limit
    assert lamplighter.open(run.path).turning_points() == told


def told_by_command(run: RunFolder) -> str:
    return CliRunner().invoke(why_command, [run.id, "--runs", str(run.path.parent)]).output


def test_the_command_tells_them(run: RunFolder) -> None:
    result = CliRunner().invoke(why_command, [run.id, "--json", "--runs", str(run.path.parent)])
    assert result.exception is None, repr(result.exception)
    told = json.loads(result.output)["turning_points"]
    assert told == find_turning_points(run).model_dump()
    lines = told_by_command(run)
    assert "2 turning points of 3 curves: by chance 0.01 would be" in lines
    assert "purity_10nn begins to rise" in lines


@pytest.mark.anyio
async def test_the_route_tells_them(run: RunFolder, app: FastAPI) -> None:
    path = f"/api/runs/{run.id}/turning-points"
    answer = await call(app, "GET", path, {"host": "127.0.0.1:8600"})
    assert answer.json == find_turning_points(run).model_dump()
    again = {"host": "127.0.0.1:8600", "if-none-match": answer.headers["etag"]}
    assert (await call(app, "GET", path, again)).status == 304


def test_an_answer_about_heads_is_judged_too(run: RunFolder) -> None:
    forms = draw_curve("sigmoid", COUNT)
    score = {"previous": 0.1, "first": 0.1, "spread": 0.5}
    readings = [
        HeadsReading(
            step=EVERY * index,
            heads=[[HeadScores(induction=0.02, **score), HeadScores(induction=float(value), **score)]],
            loss_first=7.0,
            loss_again=7.0 - float(value),
            in_context=None,
            in_context_error=None,
        )
        for index, value in enumerate(forms)
    ]
    uniform = HeadScores(induction=0.05, **score)
    answer = HeadsAnswer(
        kind="heads",
        step=LAST,
        attempt=1,
        replayed=Replayed.model_validate({"from": LAST, "steps": 0, "equal": None, "difference": None}),
        readings=readings,
        tokens=8,
        sequences=16,
        uniform=uniform,
    )
    with ExaminationsWriter(run.examinations_path) as writer:
        writer.add_question("q", attempt=1, step=LAST, kind="heads", question="{}")
        writer.finish("q", dump_answer(answer))
    told = find_turning_points(run)
    assert not {"previous_token_head", "in_context"} & {*told.judged}
    assert "repetition" in told.judged
    [induction] = [item for item in told.items if item.curve == "induction_head"]
    assert abs(induction.step - TURNS) <= 10 * EVERY
    assert induction.change > 0.5


def test_a_run_in_training_is_judged_again_only_when_it_has_grown(run: RunFolder) -> None:
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({"phase": "running"})
    extents = set()
    for last in range(256, 513, EVERY // 2):
        with MeasuresWriter(run.measures_path) as writer:
            writer.commit(1, last, {"coverage": 1.0})
        with StepsReader(run.steps_path) as reader:
            extents.add(choose_extent(run, reader))
    assert len(extents) <= 9


def test_the_clock_is_that_of_the_loop(run: RunFolder) -> None:
    plain = find_turning_points(run)
    with StepsWriter(run.steps_path) as writer:
        # From there on each step of the record stands for twenty: by the loop's clock the loss rises too slowly to be a turn.
        writer.set_facts({NUMBERS_FACT: [[0, 0, 1], [TURNS, TURNS, 20]]})
    assert {item.curve for item in plain.items} == {"purity_10nn", "eval/loss"}
    assert "eval/loss" not in {item.curve for item in find_turning_points(run).items}
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({NUMBERS_FACT: [[0, 0, 10]]})
    for item in find_turning_points(run).items:
        assert item.number == 10 * item.step
        assert item.between_numbers == [10 * one for one in item.between]
    assert f"step {10 * plain.items[0].step:>7,}" in told_by_command(run)
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({NUMBERS_FACT: [[0, 0, 1], [TURNS, 0, 0]]})
    unknown = find_turning_points(run)
    assert [(one.curve, one.step) for one in unknown.items] == [(one.curve, one.step) for one in plain.items]
    assert {number for one in unknown.items for number in one.between_numbers} <= {None, *range(TURNS)}
