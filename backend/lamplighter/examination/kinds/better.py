"""The kind *better*: whether a step improves its own batch, another batch, and unread text."""

from __future__ import annotations

import torch

from lamplighter.contract.answers import BetterAnswer
from lamplighter.contract.answers.training import BetterPlace, BetterShares
from lamplighter.contract.questions import BetterQuestion
from lamplighter.contract.sentences import say
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
from lamplighter.examination.readings import (
    ModuleReading,
    TextSample,
    count_right_guesses,
    reading,
    round_known,
    rounded,
)
from lamplighter.model.learner import Learner
from lamplighter.model.step import train_step
from lamplighter.runfolder.writing.waypoint_budget import expected_waypoints, waypoint_room

_Losses = list[list[float | None]]


def examine(model: ExaminedModel, question: BetterQuestion, report: ReportProgress) -> BetterAnswer:
    """Return the losses before and after steps from several points of the training, taken on copies. A step
    that knew nothing of a text would improve it half of the time.
    """
    places = choose_places(model, min(question.places, question.steps))
    each, rest = divmod(question.steps, len(places))
    steps = [each + (number >= len(places) - rest) for number in range(len(places))]
    held_out = TextSample(model) if model.run.held_out_ids is not None else None
    taken: list[_Steps] = []
    for place, count in zip(places, steps, strict=True):
        learner = model.copy() if place == model.step else model.learner_at(place)
        if place == model.step:
            learner.set_learning_rate(model.learning_rate)
        found = _Steps(model, learner, place, held_out)
        taken.append(found)
        done = sum(len(one.same) for one in taken)
        for number in range(1, count + 1):
            report(
                (done + number - 1) / question.steps, say("step_after", step=number, steps=count, place=place)
            )
            found.take_step(number, count)
    same = [pair for one in taken for pair in one.same]
    other = [pair for one in taken for pair in one.other]
    unread = [pair for one in taken for pair in one.unread]
    return BetterAnswer(
        kind="better",
        **model.facts(question),
        same=same,
        other=other,
        unread=unread if held_out is not None else None,
        shares=_shares(same, other, unread),
        right_guesses=[share for one in taken for share in one.right_guesses],
        places=[one.summarise() for one in taken],
        learning_rate=round_known(model.learning_rate),
    )


def choose_places(model: ExaminedModel, most: int) -> list[int]:
    """Return at most `most` kept states, spread from the start of the training to the model's step."""
    recipe, last = model.run.recipe, model.step
    room = waypoint_room(recipe, len(model.run.vocabulary))
    kept = {step for step in expected_waypoints(last, recipe.cadence.waypoint_every, room) if step > 0}
    wanted = (last * number // most for number in range(1, most))
    earlier = (max((step for step in kept if step <= one), default=last) for one in wanted)
    return sorted({*earlier, last})


class _Steps:
    """Steps that a learner takes after one point of the training, and the losses before and after each."""

    def __init__(
        self, model: ExaminedModel, learner: Learner, place: int, held_out: TextSample | None
    ) -> None:
        self._batches, self._learner, self._place, self._text = model.batches, learner, place, held_out
        self._rate = learner.learning_rate
        self._unread = self._read_text()
        self.same: _Losses = []
        self.other: _Losses = []
        self.unread: _Losses = []
        self.right_guesses: list[float | None] = []

    def take_step(self, number: int, of: int) -> None:
        learner = self._learner
        _, ids, targets = self._batches.batch(self._place + number)
        _, *elsewhere = self._batches.batch(self._place + of + number)
        other = self._read(*elsewhere)
        with ModuleReading(learner.model.unembedding) as unembedding:
            before = float(train_step(learner, ids, targets).loss)
        self.same.append([rounded(before), self._read(ids, targets)])
        self.other.append([other, self._read(*elsewhere)])
        if self._text is not None:
            # No step comes between these two losses.
            self.unread.append([self._unread, unread := self._read_text()])
            self._unread = unread
        probabilities = torch.softmax(unembedding.output.flatten(0, 1).float(), dim=1)
        _, share = count_right_guesses(probabilities, targets.flatten())
        self.right_guesses.append(None if share is None else rounded(share))

    def summarise(self) -> BetterPlace:
        return BetterPlace(
            step=self._place,
            steps=len(self.same),
            learning_rate=round_known(self._rate),
            shares=_shares(self.same, self.other, self.unread),
        )

    def _read(self, ids: torch.Tensor, targets: torch.Tensor) -> float | None:
        with reading(self._learner):
            return rounded(float(self._learner.model(ids, targets)))

    def _read_text(self) -> float | None:
        return None if self._text is None else self._text.loss(self._learner.model)


def _shares(same: _Losses, other: _Losses, unread: _Losses) -> BetterShares:
    return BetterShares(same=_share_better(same), other=_share_better(other), unread=_share_better(unread))


def _share_better(losses: _Losses) -> float | None:
    """Return the share of steps that lowered a loss; None for no steps, or if a loss is not finite."""
    better = 0
    for before, after in losses:
        if before is None or after is None:
            return None
        better += after < before
    return rounded(better / len(losses)) if losses else None
