"""The kind *better*: what a step makes better. Its own batch, nearly always; another batch or unread text, sometimes."""

from __future__ import annotations

from collections.abc import Callable

import torch

from lamplighter.examination.examined_model import Answer, ExaminedModel, ReportProgress
from lamplighter.examination.readings import TextSample, reading, rounded
from lamplighter.model.step import train_step
from lamplighter.questions import BetterQuestion

_Losses = list[list[float | None]]


def examine(model: ExaminedModel, question: BetterQuestion, report: ReportProgress) -> Answer:
    """Return the losses before and after each of the steps that follow, taken on a copy of the model.

    Returns:
        `same`: the losses `[before, after]` of each step on the batch that it is taken on; `other`: on a batch that the
        model never reads meanwhile, another one for each step; `unread`: on text that is held out (null where the run
        holds none). `shares`: of each the share of steps that made it better, null where a loss is not finite.
        `learning_rate`. A step that knew nothing of a text would make it better in half of the cases.
    """
    learner = model.copy()
    learner.set_learning_rate(model.learning_rate)
    held_out = TextSample(model) if model.run.held_out_ids is not None else None
    same: _Losses = []
    other: _Losses = []
    unread: _Losses = []

    def measure(loss: Callable[[], float | None]) -> float | None:
        with reading(learner):
            return loss()

    def batch_loss(ids: torch.Tensor, targets: torch.Tensor) -> Callable[[], float | None]:
        return lambda: rounded(float(learner.model(ids, targets)))

    for number in range(1, question.steps + 1):
        report((number - 1) / question.steps, f"taking step {number} of {question.steps}")
        _, ids, targets = model.batches.batch(model.step + number)
        _, *elsewhere = model.batches.batch(model.step + question.steps + number)
        places = [(same, batch_loss(ids, targets)), (other, batch_loss(*elsewhere))]
        if held_out is not None:
            places.append((unread, lambda text=held_out: text.loss(learner.model)))
        before = [measure(loss) for _, loss in places]
        train_step(learner, ids, targets)
        for (losses, loss), first in zip(places, before, strict=True):
            losses.append([first, measure(loss)])
    return {
        "same": same,
        "other": other,
        "unread": unread if held_out is not None else None,
        "shares": {
            "same": _share_better(same),
            "other": _share_better(other),
            "unread": _share_better(unread) if held_out is not None else None,
        },
        "learning_rate": rounded(model.learning_rate),
    }


def _share_better(losses: _Losses) -> float | None:
    """Return the share of steps after which a loss is lower; None if one of them is not finite."""
    better = 0
    for before, after in losses:
        if before is None or after is None:
            return None
        better += after < before
    return rounded(better / len(losses))
