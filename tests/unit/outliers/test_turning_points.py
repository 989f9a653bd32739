"""Turning points of curves: where they are, and that none is found without one."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from fastapi import FastAPI
from numpy.typing import NDArray
from scipy.optimize import lsq_linear
from scipy.stats import f

import lamplighter
from lamplighter.cli.asking.why import why_command
from lamplighter.contract.answers import HeadsAnswer, dump_answer
from lamplighter.contract.answers.parts import Replayed
from lamplighter.contract.answers.reading import HeadScores, HeadsReading
from lamplighter.outliers.turning_points import choose_extent, find_turning_points
from lamplighter.outliers.turning_values import MIN_VALUES, find_turns
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.step_numbers import NUMBERS_FACT
from lamplighter.runfolder.tables.examinations import ExaminationsWriter
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from tests.support.asgi import call
from tests.support.folders import finished_run
from tests.support.synthetic_runs.learning_curves import SLOWING, TURNING, draw_curve, draw_noise

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


N = 24
STEPS = np.linspace(0, 100 * (N - 1), N)
NOISE = 0.03
LENGTHS = (1, 2, 3, 4, 5, 7, 9, 11, 15, 19)


def noisy(shape: str, correlation: float, seed: int, count: int = N) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    return draw_curve(shape, count) + NOISE * draw_noise(count, correlation, random)


def segment(first: int, last: int) -> list[NDArray[np.float64]]:
    """Return the ramps of a part that begins at one value and ends at another, each by interpolation."""
    ends = [first + length for length in LENGTHS if first + length < last] + [last]
    return [np.interp(np.arange(N), [first, end], [0, 1]) for end in ends]


def deviation(values: NDArray[np.float64], parts: list[tuple[int, int, int]], correlation: float) -> float:
    """Return the least sum of squares, after what the noise of the value before foretells, by another solver."""
    columns = [np.ones(N), *(sign * ramp for first, last, sign in parts for ramp in segment(first, last))]
    white = np.eye(N) - correlation * np.eye(N, k=-1)
    white[0, 0] = np.sqrt(1 - correlation**2)
    bounds = [-np.inf] + [0] * (len(columns) - 1), np.inf
    return 2 * lsq_linear(white @ np.array(columns).T, white @ values, bounds, method="bvls").cost


def test_the_turn_is_that_of_an_exhaustive_search() -> None:
    values = noisy("kink", 0.0, 3)
    values = values / np.ptp(values)
    signs = list(product((1, -1), repeat=2))
    # Its noise is likeliest to be white; in so few values a correlation of up to 0.6 would be hidden by the fit.
    by_place = {
        place: min(deviation(values, [(0, place, a), (place, N - 1, b)], 0.0) for a, b in signs)
        for place in range(2, N - 3)
    }
    best = min(by_place, key=lambda place: by_place[place])
    [turn] = find_turns(STEPS, values, 1.0)
    assert turn.place == best
    least = min(
        ([(0, best, a), (best, N - 1, b)] for a, b in signs), key=lambda some: deviation(values, some, 0.6)
    )
    left = deviation(values, least, 0.6)

    def without(correlation: float) -> float:
        return min(deviation(values, [(0, N - 1, sign)], correlation) for sign in (1, -1))

    def unlikely(sum_of_squares: float, correlation: float) -> float:
        return N * np.log(sum_of_squares / N) - np.log(1 - correlation**2)

    likeliest = min(unlikely(without(some), some) for some in (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95))
    gain = min(without(0.6) / left, np.exp((likeliest - unlikely(left, 0.6)) / N)) - 1
    # The number of ramps in use is told by the probability: one of these.
    chances = [(N - 5) * f.sf(gain * freedom / 2, 2, freedom) for freedom in range(N - 12, N - 2)]
    assert min(abs(turn.by_chance / chance - 1) for chance in chances) < 1e-3


@pytest.mark.parametrize("shape", SLOWING)
@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_a_curve_that_only_slows_down_has_no_turn(shape: str, correlation: float) -> None:
    # As in a run with ten curves.
    assert not [seed for seed in range(3) if find_turns(STEPS, noisy(shape, correlation, seed), 0.001)]


@pytest.mark.parametrize("shape", TURNING)
def test_a_planted_turn_is_found_where_it_is(shape: str) -> None:
    turns = find_turns(np.linspace(0, 5_000, 51), noisy(shape, 0.3, 1, 51), 0.01)
    near = 8 if shape == "sigmoid" else 5
    assert [turn for turn in turns if abs(turn.place - 25) <= near]


def test_says_what_kind_of_turn_it_is() -> None:
    clock = np.linspace(0, 39, 40)
    bent = {
        "begins": np.where(clock < 20, 0, clock - 20),
        "speeds_up": np.where(clock < 20, clock, 20 + 3 * (clock - 20)),
        "reverses": np.where(clock < 20, clock, 20 - 0.5 * (clock - 20)),
    }
    for kind, values in bent.items():
        [turn] = find_turns(clock, values, 0.01)
        assert (turn.kind, turn.place, turn.earliest, turn.latest) == (kind, 20, 20, 20)
        assert turn.change == pytest.approx(values[-1] - values[20])
        assert turn.share == pytest.approx(abs(turn.change) / np.ptp(values))


@pytest.mark.parametrize("values", [np.zeros(0), np.arange(MIN_VALUES - 1.0) ** 2, np.full(N, 3.0)])
def test_a_short_or_constant_curve_has_none(values: NDArray[np.float64]) -> None:
    assert find_turns(np.linspace(0, 9, len(values)), values, 0.01) == []


def test_the_clock_of_the_steps_is_that_of_the_null() -> None:
    # A power law of the step bends up if its logarithm is taken for the clock.
    steps = np.exp2(np.linspace(0, N - 1, N))
    values = 1 / (1 + np.exp(-(np.log2(steps) - 15)))
    assert find_turns(steps, values, 0.01) == []
    assert find_turns(STEPS, values, 0.01)
