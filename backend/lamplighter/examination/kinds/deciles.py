"""The kind *deciles*: the loss by word frequency, for the model and for two optimisers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import optim

from lamplighter.contract.answers import DecilesAnswer
from lamplighter.contract.answers.parts import TextName
from lamplighter.contract.answers.training import GroupLosses, OptimiserReading, TriedRate, WordGroup
from lamplighter.contract.questions import DecilesQuestion
from lamplighter.contract.sentences import say
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
from lamplighter.examination.readings import prediction_losses, round_known, rounded
from lamplighter.model.batches import positions_after
from lamplighter.model.learner import Learner, build_learner
from lamplighter.model.step import train_step

GROUPS = 10
"""Number of word groups; fewer if one word makes up more than a tenth of the text."""


@dataclass(frozen=True)
class WordGroups:
    """Word groups, most frequent first; none is empty."""

    of_word: NDArray[np.int64]
    """The group of each word, shape (V,)."""
    counts: NDArray[np.int64]
    """The count of each word in the text, shape (V,)."""

    @property
    def number(self) -> int:
        return int(self.of_word.max()) + 1


def group_words(counts: NDArray[np.int64], text: NDArray[np.uint32]) -> WordGroups:
    """Return the words in groups that each cover about a tenth of a text. `counts`: shape (V,); if all are 0
    (unknown), the words of the text are counted.
    """
    found = counts if counts.any() else np.bincount(text, minlength=len(counts))
    order = np.argsort(-found, kind="stable")
    # By its middle: a word that covers a third of the text belongs where most of it lies.
    middle = (np.cumsum(found[order]) - found[order] / 2) / found.sum()
    _, numbers = np.unique(np.minimum(GROUPS - 1, (GROUPS * middle).astype(np.int64)), return_inverse=True)
    of_word = np.empty(len(found), dtype=np.int64)
    of_word[order] = numbers
    return WordGroups(of_word, found)


class GroupedLoss:
    """The loss by group of the target word, on a sample of held-out text, or else of the run's own."""

    def __init__(self, model: ExaminedModel, groups: WordGroups, tokens: int) -> None:
        run, self._groups = model.run, groups
        held_out, context = run.held_out_ids, run.recipe.model.context
        self.text: TextName = "training" if held_out is None else "held_out"
        """The name of the text in an answer."""
        ids = run.token_ids if held_out is None else held_out
        windows = max(0, min((len(ids) - 1) // context, max(1, tokens // context)))
        starts = np.linspace(0, max(0, len(ids) - 1 - context), windows).astype(np.int64)
        self._windows = torch.from_numpy(ids[positions_after(starts, context)].astype(np.int64))
        self._true = self._windows[:, 1:].reshape(-1).numpy()
        self._at_once = run.recipe.sequences

    def measure(self, learner: Learner) -> tuple[float | None, list[float | None]]:
        """Return a model's mean loss in nats, and that of each group; None if not finite or empty."""
        losses = self._losses(learner)
        return (rounded(float(losses.mean())) if len(losses) else None), self._by_group(losses)

    def describe(self, learner: Learner) -> list[WordGroup]:
        counts, of_word = self._groups.counts, self._groups.of_word
        # A word that occurs only in the held-out text counts as seen once.
        alone = self._by_group(-np.log(np.maximum(counts, 1) / counts.sum())[self._true])
        read = np.bincount(of_word[self._true], minlength=self._groups.number).tolist()
        _, losses = self.measure(learner)
        described: list[WordGroup] = []
        for group in range(self._groups.number):
            own = counts[of_word == group]
            described.append(
                WordGroup(
                    words=len(own),
                    least=int(own.min()),
                    most=int(own.max()),
                    share=round_known(float(own.sum() / counts.sum())),
                    predictions=read[group],
                    loss=losses[group],
                    by_counts=alone[group],
                )
            )
        return described

    def _losses(self, learner: Learner) -> NDArray[np.float64]:
        return prediction_losses(learner, self._windows, self._at_once).reshape(-1)

    def _by_group(self, losses: NDArray[np.float64]) -> list[float | None]:
        groups, number = self._groups.of_word[self._true], self._groups.number
        sizes = np.bincount(groups, minlength=number).tolist()
        sums = np.bincount(groups, weights=losses, minlength=number).tolist()
        return [rounded(total / size) if size else None for total, size in zip(sums, sizes, strict=True)]


OptimiserName = Literal["sgd", "adam"]
RATES: dict[OptimiserName, tuple[float, float, float]] = {"sgd": (0.03, 0.1, 0.3), "adam": (3e-4, 1e-3, 3e-3)}
"""Learning rates to try."""
MOMENTUM = 0.9
"""Momentum of SGD, equal to Adam's."""
_POINTS = 10
_UNCLIPPED = 1e30


class OptimiserRace:
    """Trains two optimisers, each at its best learning rate, from the same start on the same batches.

    Source: Kunstner, Yadav, Milligan, Schmidt and Bietti 2024, "Heavy-Tailed Class Imbalance and Why Adam
    Outperforms Gradient Descent on Language Models" (arXiv 2402.19449): gradient descent learns frequent
    words and hardly any rare ones, Adam learns both. As there, the learning rate is searched, and nothing is
    clipped. The effect needs a heavy tail and many steps: if all words are about equally frequent, or within
    few steps, gradient descent may do as well or better.
    """

    def __init__(self, model: ExaminedModel, loss: GroupedLoss, steps: int, report: ReportProgress) -> None:
        """Prepare to train `steps` steps each from the first batch of the model's run."""
        self._model, self._loss, self._steps, self._report = model, loss, steps, report
        self._points = {round(step) for step in np.linspace(0, steps, _POINTS + 1).tolist()}
        self._total = steps * sum(map(len, RATES.values()))
        self._done = 0

    def find_best(self) -> list[OptimiserReading]:
        """Return the training with the lowest loss, over all rates, for each optimiser."""
        return [self._best(name) for name in RATES]

    def _best(self, name: OptimiserName) -> OptimiserReading:
        tried = [(rate, *self._train(name, rate)) for rate in RATES[name]]
        rate, _, curve = min(tried, key=lambda one: math.inf if one[1] is None else one[1])
        return OptimiserReading(
            name=name,
            learning_rate=rate,
            tried=[TriedRate(learning_rate=each, loss=loss) for each, loss, _ in tried],
            curve=curve,
        )

    def _train(self, name: OptimiserName, rate: float) -> tuple[float | None, list[GroupLosses]]:
        """Return the final loss, and the losses by group at chosen steps."""
        learner = self._build(name, rate)
        last, losses = self._loss.measure(learner)
        curve = [GroupLosses(step=0, losses=losses)]
        for step in range(1, self._steps + 1):
            self._report(self._done / self._total, say("trying_rate", optimiser=name, rate=rate, step=step))
            _, ids, targets = self._model.batches.batch(step)
            train_step(learner, ids, targets)
            self._done += 1
            if step in self._points:
                last, losses = self._loss.measure(learner)
                curve.append(GroupLosses(step=step, losses=losses))
        return last, curve

    def _build(self, name: OptimiserName, rate: float) -> Learner:
        recipe, old = self._model.run.recipe, self._model.learner
        # Dense, because sparse gradients do not support momentum.
        dense = recipe.model_copy(update={"optimiser": recipe.optimiser.model_copy(update={"kind": "adam"})})
        learner = build_learner(dense, len(self._model.run.vocabulary), old.device)
        parameters = list(learner.model.parameters())
        if name == "sgd":
            learner.optimisers = [optim.SGD(parameters, lr=rate, momentum=MOMENTUM)]
        else:
            learner.optimisers = [optim.Adam(parameters, lr=rate)]
        learner.clip_norm = _UNCLIPPED
        return learner


NOW_TOKENS, CURVE_TOKENS = 8_192, 2_048
"""Predictions averaged for the current losses, and for a point of a curve."""


def examine(model: ExaminedModel, question: DecilesQuestion, report: ReportProgress) -> DecilesAnswer:
    """Return the loss by word frequency, for the model as it is and for two optimisers from the start. A loss
    is None if it is not finite, or if no word of the group was sampled.
    """
    report(0.0, say("reading_groups"))
    vocabulary = model.run.vocabulary
    groups = group_words(vocabulary.counts, model.run.token_ids)
    now = GroupedLoss(model, groups, NOW_TOKENS)
    described = now.describe(model.learner)
    race = OptimiserRace(model, GroupedLoss(model, groups, CURVE_TOKENS), question.steps, report)
    return DecilesAnswer(
        kind="deciles",
        **model.facts(question),
        groups=described,
        guessing=round_known(math.log(len(vocabulary))),
        text=now.text,
        steps=question.steps,
        optimisers=race.find_best() if question.steps else [],
    )
