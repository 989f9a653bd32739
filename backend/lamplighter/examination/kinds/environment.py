"""The kind *environment*: a copy of the model is trained on another town, and then on its own again.

In the other town every word has the role of another. Its answers forget first, and the word map last.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from lamplighter.contract.answers import EnvironmentAnswer
from lamplighter.contract.answers.training import EnvironmentHome, EnvironmentPoint, HomeChange, HomePoint
from lamplighter.contract.questions import HOME_POINTS, HOME_STEPS, EnvironmentQuestion
from lamplighter.contract.sentences import say
from lamplighter.corpora.othertown import deal_jobs, redealt_classes
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
from lamplighter.examination.readings import TextSample, round_known, rounded
from lamplighter.geometry.neighbours import all_nearest
from lamplighter.geometry.purity import classify_neighbours, neighbour_purity, purity_chance
from lamplighter.model.learner import Learner
from lamplighter.model.step import train_step

MAX_CLASSED = 4_096
"""Maximum classed words whose neighbours are computed: the cost is quadratic."""
NEIGHBOURS = 10
_POINTS, _POINTS_BACK = 16, 8
"""Points of the curve after the change, dense at first, and after the change back."""


def examine(model: ExaminedModel, question: EnvironmentQuestion, report: ReportProgress) -> EnvironmentAnswer:
    """Return how a copy of a model forgets one town and learns the other.

    The other text is the run's own with the roles of its words permuted (`corpora/othertown.py`). The copy is
    trained on the batches of the following steps, in the other text for `steps` steps, then in its own for
    `back` steps. A second copy stays on its own text for at most `HOME_STEPS` steps. Purities are null
    without classes, or with more than `MAX_CLASSED` classed words.
    """
    return _Environment(model, report).answer(question)


def chosen_steps(steps: int, back: int) -> list[int]:
    """Return the steps of the curve's points, ascending: dense after each of the two changes."""

    def spaced(last: int, points: int) -> set[int]:
        return {round(step) for step in np.geomspace(1, last, min(last, points)).tolist()}

    returning = spaced(back, _POINTS_BACK) if back else set[int]()
    return sorted({0} | spaced(steps, _POINTS) | {steps + step for step in returning})


class _Environment:
    """A copy of a model in changing texts, and its measurements."""

    def __init__(self, model: ExaminedModel, report: ReportProgress) -> None:
        self._model, self._report = model, report
        vocabulary = model.run.vocabulary
        self._jobs = deal_jobs(vocabulary, model.run.recipe.seed)
        self._texts = (TextSample(model), TextSample(model, self._jobs))
        class_of = vocabulary.class_of()
        self._classed = np.flatnonzero(class_of >= 0)
        self._truths = [labels[self._classed] for labels in (class_of, redealt_classes(class_of, self._jobs))]
        self._chance = purity_chance(class_of)

    def answer(self, question: EnvironmentQuestion) -> EnvironmentAnswer:
        steps, back = question.steps, question.back
        home_steps = min(steps, HOME_STEPS)
        points = chosen_steps(steps, back)
        self._done, self._all = 0, steps + back + home_steps
        elsewhere = torch.from_numpy(self._jobs).to(self._model.learner.device)
        learner = self._new_copy()
        curve = [self._read(learner, 0)]
        for number in range(1, steps + back + 1):
            self._train(learner, number, elsewhere if number <= steps else None)
            if number in points:
                curve.append(self._read(learner, number))
        return EnvironmentAnswer(
            kind="environment",
            **self._model.facts(question),
            curve=curve,
            home=self._stay(home_steps, curve[0]),
            turned_back_at=steps if back else None,
            chance=rounded(self._chance),
            permuted=int((self._jobs != np.arange(len(self._jobs))).sum()),
            words=len(self._jobs),
            tied=learner.model.shape.tied,
            text=self._texts[0].name,
            learning_rate=round_known(self._model.learning_rate),
        )

    def _stay(self, steps: int, start: EnvironmentPoint) -> EnvironmentHome:
        learner = self._new_copy()
        points = {round(steps * point / HOME_POINTS) for point in range(HOME_POINTS + 1)}
        curve = [_at_home(start)]
        for number in range(1, steps + 1):
            self._train(learner, number, None)
            if number in points:
                curve.append(_at_home(self._read(learner, number, at_home=True)))
        return EnvironmentHome(
            curve=curve,
            loss=_describe_change([point.loss_first for point in curve]),
            purity_in=_describe_change([point.purity_in_first for point in curve]),
            purity_out=_describe_change([point.purity_out_first for point in curve]),
        )

    def _new_copy(self) -> Learner:
        learner = self._model.copy()
        learner.set_learning_rate(self._model.learning_rate)
        return learner

    def _train(self, learner: Learner, number: int, jobs: torch.Tensor | None) -> None:
        """Take one of the steps that follow the model's. With `jobs`, shape (V,), tokens have permuted roles."""
        where = "training_at_home" if jobs is None else "training_elsewhere"
        self._report(self._done / self._all, say(where, step=number))
        _, ids, targets = self._model.batches.batch(self._model.step + number)
        if jobs is not None:
            ids, targets = jobs[ids], jobs[targets]
        train_step(learner, ids, targets)
        self._done += 1

    def _read(self, learner: Learner, step: int, *, at_home: bool = False) -> EnvironmentPoint:
        """Return a point of a curve; an `at_home` point without the loss on the other town."""
        model = learner.model
        first, other = self._texts
        purity_in, purity_out = (
            self._purities(weight.detach().float().cpu().numpy())
            for weight in (model.embedding.weight, model.unembedding.weight)
        )
        return EnvironmentPoint(
            step=step,
            loss_first=first.loss(model),
            loss_other=None if at_home else other.loss(model),
            purity_in_first=purity_in[0],
            purity_in_other=purity_in[1],
            purity_out_first=purity_out[0],
            purity_out_other=purity_out[1],
        )

    def _purities(self, vectors: NDArray[np.float32]) -> tuple[float | None, float | None]:
        """Return the purity of a matrix, (V, D), under both labellings; None if not computed."""
        if not 2 <= len(self._classed) <= MAX_CLASSED:
            return None, None
        ids, _ = all_nearest(vectors[self._classed], NEIGHBOURS)
        first, other = (
            rounded(neighbour_purity(classify_neighbours(ids, labels))) for labels in self._truths
        )
        return first, other


def _at_home(point: EnvironmentPoint) -> HomePoint:
    return HomePoint(
        step=point.step,
        loss_first=point.loss_first,
        purity_in_first=point.purity_in_first,
        purity_out_first=point.purity_out_first,
    )


def _describe_change(values: list[float | None]) -> HomeChange | None:
    known = np.array([value for value in values if value is not None])
    if len(known) < len(values):
        return None
    changes = known[1:] - known[0]
    return HomeChange(
        mean=rounded(float(changes.mean())),
        spread=rounded(float(changes.std(ddof=1))) if len(changes) > 1 else None,
    )
