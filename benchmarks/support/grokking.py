"""How long a run of sums takes to know what it never saw, and what its control knows by then."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.lineage import LAST_STEP
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.scalars import decode_scalars
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.worker import train

_KNOWN = 0.99
_STEPS = 2_000


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
        "steps": _STEPS,
    }
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        run = RunStore(Path(folder)).create(Recipe.model_validate(fields))
        begun = time.process_time()
        train(run)
        seconds = time.process_time() - begun
        with StepsReader(run.steps_path) as reader:
            logged = {step: decode_scalars(text) for step, text in reader.scalars(0, LAST_STEP).items()}
        memorised, generalised = (
            next((step for step in sorted(logged) if logged[step][name] >= _KNOWN), None)
            for name in ("accuracy_read", "accuracy_held_out")
        )
        share = (generalised or run.recipe.steps) / run.recipe.steps
        return Grokking(memorised, generalised, seconds * share, logged[max(logged)]["accuracy_held_out"])
