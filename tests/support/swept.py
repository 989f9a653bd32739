"""Sets of runs for tests: small real ones to train, and ones whose steps are written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import GridAxis, RunSet
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.runfolder.writing.set_creation import create_set
from lamplighter.wire.vocabulary import Relation, Vocabulary
from tests.support.folders import (
    TOKENS,
    D,
    FakeTrainer,
    V,
    layout,
    make_run,
    write_layouts,
)
from tests.support.runs import small_recipe, small_text

SEEDS = GridAxis(field="seed", values=[0, 1, 2])


def make_set(runs: Path, *axes: GridAxis, **changes: Any) -> RunSet:
    """Create a set of `small_text`, by default of three seeds, not yet trained."""
    return create_set(RunStore(runs), small_recipe(**changes), list(axes) or [SEEDS], small_text())


def recorded_set(runs: Path, steps: int = 35, *axes: GridAxis) -> RunSet:
    """Record a set of three seeds of a tiny Lamptown, with measures; the last member has not begun.

    `axes`: what else the members differ in.
    """
    recipe = make_run(RunStore(runs.parent / "elsewhere"), steps=steps).recipe
    run_set = create_set(RunStore(runs), recipe, [SEEDS, *axes])
    for number, (_, run) in enumerate(run_set.members()[:-1]):
        assert run is not None
        prepare(run)
        trainer = FakeTrainer(run, loss_of=lambda step, number=number: 3.0 + number - step / 100)
        trainer.matrix += np.float32(0.3 * number) * np.random.default_rng(9 + number).standard_normal((V, D))
        assert trainer.begin().train(steps).end()
        write_layouts(run, layout(1, 30 + number))
        with MeasuresWriter(run.measures_path) as writer:
            for step in (0, 10, 20, 30):
                values = {"purity_10nn": 0.1 * (number + 1), "analogy plural": step / 100 + number}
                writer.commit(1, step, values | {"analogy_chance": 0.05})
    return run_set


def prepare(run: RunFolder) -> None:
    """Write the corpus of a recorded run."""
    ids = np.random.default_rng(0).integers(0, V, size=500).astype(np.uint32)
    classes = {"animals": (1, 2, 3, 5), "marks": (6, 7)}
    relations = (Relation("plural", ((1, 3),)),)
    run.write_corpus(ids, Vocabulary(TOKENS, np.arange(V, 0, -1, dtype=np.int64), classes, relations), "{}")
