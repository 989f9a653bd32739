"""Small runs of each optimiser, and their models retrained from the start to any step."""

from __future__ import annotations

import copy
import functools
from typing import Any

import torch

from lamplighter.contract.questions import MicroscopeQuestion
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.kinds.microscope import examine
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import Learner, build_learner
from lamplighter.model.step import train_step
from lamplighter.runfolder.run_folder import RunFolder
from tests.support.village import NOT_REPLAYED, stored

CPU = torch.device("cpu")


STEPS = 12


# Ten numbers per row do not fill the processor's vectors: the rest of a row is computed by other
# instructions.
SHAPE = {"dim": 10, "layers": 2, "heads": 2, "context": 8}


LAZY: dict[str, Any] = {"optimiser": {"kind": "lazy"}}


ADAM: dict[str, Any] = {"optimiser": {"kind": "adam"}}


SGD: dict[str, Any] = {"optimiser": {"kind": "sgd", "learning_rate": 0.3}}


TIED: dict[str, Any] = {"optimiser": {"kind": "adam"}, "model": {**SHAPE, "tied": True}}


RECIPES = {"lazy": LAZY, "adam": ADAM, "sgd": SGD, "tied": TIED}


def learner_at(run: RunFolder, step: int) -> Learner:
    """Return a copy of the model of a run after a step, trained from the start."""
    return copy.deepcopy(_learner_at(run, step))


@functools.cache
def _learner_at(run: RunFolder, step: int) -> Learner:
    if step:
        learner = learner_at(run, step - 1)
        train_step(learner, *BatchReader(run.recipe, run.token_ids, CPU).batch(step)[1:])
        return learner
    recipe = run.recipe
    torch.set_num_threads(recipe.threads)
    learner = build_learner(recipe, len(run.vocabulary), CPU)
    learner.set_learning_rate(recipe.optimiser.learning_rate)
    return learner


def model_at(run: RunFolder, step: int) -> ExaminedModel:
    return ExaminedModel(
        run=run,
        learner=learner_at(run, step),
        batches=BatchReader(run.recipe, run.token_ids, CPU),
        step=step,
        learning_rate=run.recipe.optimiser.learning_rate,
        learner_at=lambda at: learner_at(run, at),
        replayed=NOT_REPLAYED,
    )


def hear_nothing(_share: float, _activity: str) -> None:
    pass


def ask(run: RunFolder, step: int, **fields: Any) -> dict[str, Any]:
    return look(model_at(run, step - 1), step=step, **fields)


def look(model: ExaminedModel, **fields: Any) -> dict[str, Any]:
    return stored(examine(model, MicroscopeQuestion(**fields), hear_nothing))


def dense(gradient: torch.Tensor | None) -> torch.Tensor:
    assert gradient is not None
    return gradient.to_dense()
