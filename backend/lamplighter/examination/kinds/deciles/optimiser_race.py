"""Two optimisers at their best learning rates, from the same start on the same batches, and what each has learned of rare
words.

Source: Kunstner, Yadav, Milligan, Schmidt and Bietti 2024, "Heavy-Tailed Class Imbalance and Why Adam Outperforms Gradient
Descent on Language Models" (arXiv 2402.19449): gradient descent learns frequent words and hardly the rare ones, Adam learns
both. As there, the learning rate is searched for, and nothing is clipped. The effect needs a heavy tail and many steps:
where all words are about as frequent, or within few steps, gradient descent may do as well, or better.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from torch import optim

from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
from lamplighter.examination.kinds.deciles.word_groups import GroupedLoss
from lamplighter.model.learner import Learner, build_learner
from lamplighter.model.step import train_step

OptimiserName = Literal["sgd", "adam"]
RATES: dict[OptimiserName, tuple[float, float, float]] = {"sgd": (0.03, 0.1, 0.3), "adam": (3e-4, 1e-3, 3e-3)}
"""Learning rates that are tried."""
MOMENTUM = 0.9
"""Momentum of SGD, as of Adam."""
_POINTS = 10
_UNCLIPPED = 1e30


class OptimiserRace:
    """The trainings of both optimisers."""

    def __init__(self, model: ExaminedModel, loss: GroupedLoss, steps: int, report: ReportProgress) -> None:
        """Train nothing yet.

        Args:
            model: the model whose recipe and batches are taken, from the first one on.
            loss: measures the models.
            steps: of each training.
            report: hears how far it is.
        """
        self._model, self._loss, self._steps, self._report = model, loss, steps, report
        self._points = {round(step) for step in np.linspace(0, steps, _POINTS + 1).tolist()}
        self._total = steps * sum(map(len, RATES.values()))
        self._done = 0

    def find_best(self) -> list[dict[str, Any]]:
        """Train with each optimiser at each rate. Return of each optimiser the training with the lowest loss."""
        return [self._best(name) for name in RATES]

    def _best(self, name: OptimiserName) -> dict[str, Any]:
        tried = [(rate, *self._train(name, rate)) for rate in RATES[name]]
        rate, _, curve = min(tried, key=lambda one: math.inf if one[1] is None else one[1])
        return {
            "name": name,
            "learning_rate": rate,
            "tried": [{"learning_rate": each, "loss": loss} for each, loss, _ in tried],
            "curve": curve,
        }

    def _train(self, name: OptimiserName, rate: float) -> tuple[float | None, list[dict[str, Any]]]:
        """Return the loss at the end, and the losses by group at chosen steps."""
        learner = self._build(name, rate)
        last, losses = self._loss.measure(learner)
        curve = [{"step": 0, "losses": losses}]
        for step in range(1, self._steps + 1):
            self._report(self._done / self._total, f"{name} at {rate:g}, step {step}")
            _, ids, targets = self._model.batches.batch(step)
            train_step(learner, ids, targets)
            self._done += 1
            if step in self._points:
                last, losses = self._loss.measure(learner)
                curve.append({"step": step, "losses": losses})
        return last, curve

    def _build(self, name: OptimiserName, rate: float) -> Learner:
        recipe, old = self._model.run.recipe, self._model.learner
        # Dense: a sparse gradient has no momentum.
        dense = recipe.model_copy(update={"optimiser": recipe.optimiser.model_copy(update={"kind": "adam"})})
        learner = build_learner(dense, len(self._model.run.vocabulary), old.device)
        parameters = list(learner.model.parameters())
        if name == "sgd":
            learner.optimisers = [optim.SGD(parameters, lr=rate, momentum=MOMENTUM)]
        else:
            learner.optimisers = [optim.Adam(parameters, lr=rate)]
        learner.clip_norm = _UNCLIPPED
        return learner
