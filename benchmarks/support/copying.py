"""How long a run of words that come again takes to learn to copy, and what its control with one layer learns by then."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from lamplighter.contract.questions import HeadsQuestion
from lamplighter.contract.recipe import Recipe
from lamplighter.examination.kinds import heads
from lamplighter.examination.replayer import Replayer
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.worker import train

_COPIES = 1.0
"""Nats by which repeated random words are foreseen better than at first, from which on a model copies."""


def _ignore(*_: object) -> None:
    """Ignore progress."""


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
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        run = RunStore(Path(folder)).create(Recipe.model_validate(fields))
        begun = time.process_time()
        train(run)
        seconds = time.process_time() - begun
        last = run.recipe.steps
        model = Replayer(run).model_at(last, _ignore)
        answer = heads.examine(model, HeadsQuestion(step=last, readings=32), _ignore)
    gains = {
        reading.step: (reading.loss_first or 0) - (reading.loss_again or 0) for reading in answer.readings
    }
    turn = next((step for step, gain in gains.items() if gain > _COPIES), None)
    return Copying(turn, seconds * (turn or last) / last, gains[last])
