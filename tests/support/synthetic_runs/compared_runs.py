"""Two runs to compare: a run and its fork, written without a trainer, and recorded runs of any matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import lamplighter
from lamplighter.contract.fork_parent import ForkParent
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from tests.support.folders import FakeTrainer, make_run

WORDS = tuple(f"word{i}" for i in range(60))


def make_fork(parent: RunFolder, step: int, before: int = 0) -> RunFolder:
    """Return a run whose recipe names its parent; `before`: the steps of the parents of the parent."""
    origin = ForkParent(run=parent.id, step=step, name="Parent", batch_offset=before + step, text_seed=0)
    run = RunStore(parent.path.parent).create(
        parent.recipe.model_copy(update={"format": 2, "parent": origin})
    )
    run.write_corpus(parent.token_ids, parent.vocabulary, "{}")
    return run


def fork_of(parent: FakeTrainer, step: int, loss_of: Callable[[int], float] | None = None) -> FakeTrainer:
    """Return the trainer of a fork, before its first step, which does what the trainer of its parent did.

    `loss_of` gives the losses of another training, by step.
    """
    clock = parent.clock + step
    trainer = FakeTrainer(
        make_fork(parent.run, step, parent.clock),
        loss_of=loss_of or (lambda own: parent.loss_of(step + own)),
    )
    trainer.clock, trainer.matrix = clock, parent.matrices[step].copy()
    return trainer.begin()


def trained_parent(folder: Path, steps: int = 30) -> FakeTrainer:
    """Return a run that is being trained, after as many steps."""
    return FakeTrainer(make_run(RunStore(folder)), loss_of=lambda step: 5 - step / 10).begin().train(steps)


def recorded(
    path: Path,
    matrices: Sequence[np.ndarray],
    words: Sequence[str] = WORDS,
    counts: Sequence[int] | None = None,
    classes: dict[str, list[int]] | None = None,
) -> RunFolder:
    """Record a loop that makes these matrices, the first of them before its first step."""
    with lamplighter.record(
        path, words, embedding=matrices[0], counts=counts, classes=classes, keyframe_every=1, on_error="raise"
    ) as recorder:
        for step, matrix in enumerate(matrices[1:], 1):
            recorder.step(matrix, np.arange(len(words)), 3.0 / step)
    return RunFolder(path)
