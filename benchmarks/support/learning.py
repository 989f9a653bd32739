"""What small runs learn at a turn, and whether a turn is found: sums on a clock, words that come again, and drawn curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.support.training import trained
from lamplighter.contract.questions import HeadsQuestion
from lamplighter.contract.recipe import Recipe
from lamplighter.examination.examined_model import Replayer
from lamplighter.examination.kinds import heads
from lamplighter.outliers.turning_points import CHANCE_LIMIT
from lamplighter.outliers.turning_values import find_turns
from lamplighter.runfolder.lineage import LAST_STEP
from lamplighter.runfolder.tables.scalars import decode_scalars
from lamplighter.runfolder.tables.steps_reader import StepsReader
from tests.support.synthetic_runs.learning_curves import SLOWING, draw_curve, draw_noise

_KNOWN = 0.99
_GROKKING_STEPS = 2_000
_COPIES = 1.0
"""Nats by which repeated random words are foreseen better than at first, from which on a model copies."""
CURVES, VALUES, NOISE = 100, 51, 0.03
CORRELATIONS = (0.0, 0.3, 0.6, 0.8)
LIMIT = CHANCE_LIMIT / 10
"""The limit of one curve in a run with ten."""


class Grokking(NamedTuple):
    """The first steps, of those at which accuracy is measured, with 99 % of the sums right; None for none."""

    memorised: int | None
    """Of the sums that training reads."""
    generalised: int | None
    """Of those held out."""
    seconds: float
    """Processor time of training up to `generalised`, or of all steps."""
    last: float
    """The share of the sums held out that is right at the last step."""


def measure_grokking(**optimiser: float) -> Grokking:
    """Train a run of sums for 2,000 steps, with its default recipe or with other settings of its optimiser."""
    fields: dict[str, Any] = {
        "corpus": {"kind": "modular"},
        "device": "cpu",
        "optimiser": optimiser,
        "steps": _GROKKING_STEPS,
    }
    with trained(Recipe.model_validate(fields)) as (run, seconds):
        with StepsReader(run.steps_path) as reader:
            logged = {step: decode_scalars(text) for step, text in reader.scalars(0, LAST_STEP).items()}
        memorised, generalised = (
            next((step for step in sorted(logged) if logged[step][name] >= _KNOWN), None)
            for name in ("accuracy_read", "accuracy_held_out")
        )
        share = (generalised or run.recipe.steps) / run.recipe.steps
        return Grokking(memorised, generalised, seconds * share, logged[max(logged)]["accuracy_held_out"])


class Copying(NamedTuple):
    """When a run learned to copy."""

    turn: int | None
    """The first kept step at which it copies; None for none."""
    seconds: float
    """Processor time of training up to there, or of all steps."""
    gain: float
    """Nats by which it foresees random words better when they come again, after the last step."""


def measure_copying(layers: int, seed: int = 0) -> Copying:
    """Train a run of words that come again with its default recipe, but for the number of layers."""
    fields = {"corpus": {"kind": "repeats"}, "model": {"layers": layers}, "seed": seed, "device": "cpu"}
    with trained(Recipe.model_validate(fields)) as (run, seconds):
        last = run.recipe.steps
        model = Replayer(run).model_at(last, lambda *_: None)
        answer = heads.examine(model, HeadsQuestion(step=last, readings=32), lambda *_: None)
    gains = {
        reading.step: (reading.loss_first or 0) - (reading.loss_again or 0) for reading in answer.readings
    }
    turn = next((step for step, gain in gains.items() if gain > _COPIES), None)
    return Copying(turn, seconds * (turn or last) / last, gains[last])


def count_turns(shapes: Sequence[str]) -> dict[str, float]:
    """Return the percentage of curves of each shape in which a turn is told; of shapes that turn, within a tenth of their
    length of where it is, which is drawn from 0.3 to 0.7 of it."""
    clock = np.linspace(0.0, 1.0, VALUES)
    found = dict.fromkeys(shapes, 0)
    for shape in shapes:
        for seed in range(CURVES):
            random = np.random.default_rng(seed)
            at = random.uniform(0.3, 0.7)
            noise = NOISE * draw_noise(VALUES, CORRELATIONS[seed % len(CORRELATIONS)], random)
            turns = find_turns(clock, draw_curve(shape, VALUES, at) + noise, LIMIT)
            found[shape] += any(shape in SLOWING or abs(clock[turn.place] - at) < 0.1 for turn in turns)
    return {shape: 100 * count / CURVES for shape, count in found.items()}
