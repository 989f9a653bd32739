"""The update of one row of the embedding, and of one number in it, by the optimiser's formula.

The formulas are computed here for the row alone, independently of torch's optimisers, in the same order of
operations and with 32-bit numbers, so that the result can equal the recorded one to the last bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lamplighter.contract.answers.microscope import RowMovement, RowUpdate
from lamplighter.contract.questions import QuestionError
from lamplighter.contract.reason import give_reason
from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.kinds.microscope.predictions import (
    MAX_POSITIONS,
    RetakenStep,
    to_exact_number,
    to_number,
    to_numbers,
)
from lamplighter.model.learner import Learner
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.wire.binary import Floats

MAX_COORDINATES = 1_024
"""Maximum coordinates of a row that are listed, from its beginning; the chosen one is always included."""


@dataclass(frozen=True)
class _Moments:
    """Adam's averages of a row, shape (D,) each, and the step number they belong to."""

    m: Tensor
    v: Tensor
    step: int


@dataclass(frozen=True)
class _Formula:
    """The new row by formula, old - step_size m / denominator, with the terms of the formula.

    Without averages it is old - step_size gradient, and the averages' fields are None.
    """

    row: Tensor
    rate: float
    step_size: float
    moments: _Moments | None = None
    denominator: Tensor | None = None
    correction1: float | None = None
    correction2: float | None = None
    epsilon: float | None = None
    betas: tuple[float, float] | None = None
    shrunk: Tensor | None = None
    """The old row after weight decay; None without."""

    @property
    def uncorrected_times(self) -> float | None:
        """Return the factor by which the update would be longer without bias correction, ignoring epsilon;
        None without averages, or if the row is not updated.
        """
        if self.correction1 is None or self.correction2 is None:
            return None
        return self.correction1 / math.sqrt(self.correction2)


@torch.no_grad()
def describe_row_update(
    model: ExaminedModel, retaken: RetakenStep, token: int | None, coordinate: int, sequence: int
) -> RowUpdate:
    """Return the update of a row, with one coordinate in full. `token` None: the row of `sequence` that moved
    farthest. The record may lack the row: steps that move most rows (`adam`) are kept whole only at
    keyframes.
    """
    token = _farthest_row(retaken, sequence) if token is None else token
    old, new = (learner.model.embedding.weight[token] for learner in (retaken.before, retaken.after))
    gradient = _gradient_row(retaken.after, token)
    before = _moments(retaken.before, token)
    weight = retaken.after.model.embedding.weight
    frozen = any(weight is parameter for parameter in retaken.after.frozen)
    # A frozen row is skipped like one without a gradient.
    formula = _apply_formula(retaken, old, None if frozen else gradient, None if frozen else before)
    recorded = _recorded_row(model, retaken.observation.step, token)
    value = float(formula.row[coordinate])
    stored = None if recorded is None else float(recorded[coordinate])
    # A dense gradient is zero for a row outside the batch: it counts as none.
    slope = 0.0 if gradient is None else gradient[coordinate]
    after = formula.moments
    return RowUpdate(
        token=token,
        coordinate=coordinate,
        occurrences=int((retaken.token_ids == token).sum()),
        optimiser=model.run.recipe.optimiser.kind,
        updated=formula.row is not old,
        old=to_exact_number(old[coordinate]),
        gradient=to_exact_number(slope),
        m_before=None if before is None else to_exact_number(before.m[coordinate]),
        v_before=None if before is None else to_exact_number(before.v[coordinate]),
        m_after=None if after is None else to_exact_number(after.m[coordinate]),
        v_after=None if after is None else to_exact_number(after.v[coordinate]),
        updates=None if after is None else after.step,
        beta1=None if formula.betas is None else formula.betas[0],
        beta2=None if formula.betas is None else formula.betas[1],
        epsilon=formula.epsilon,
        bias_correction1=formula.correction1,
        bias_correction2=formula.correction2,
        learning_rate=formula.rate,
        step_size=formula.step_size,
        shrunk=None if formula.shrunk is None else to_exact_number(formula.shrunk[coordinate]),
        uncorrected_times=formula.uncorrected_times,
        denominator=None if formula.denominator is None else to_exact_number(formula.denominator[coordinate]),
        change=to_exact_number(value - float(old[coordinate])),
        new=to_exact_number(value),
        model_new=to_exact_number(new[coordinate]),
        model_difference=to_exact_number(value - float(new[coordinate])),
        stored=stored,
        difference=None if stored is None else to_exact_number(value - stored),
        row=_describe_row(old, new, gradient, formula.row, recorded),
    )


def _describe_row(
    old: Tensor, new: Tensor, gradient: Tensor | None, by_formula: Tensor, recorded: Floats | None
) -> RowMovement:
    """Return the row before and after, how far and by what angle it moved, and how well the formula fits."""
    lengths = float(old.norm()), float(new.norm())
    cosine = float(torch.dot(old, new)) / math.prod(lengths) if all(lengths) else None
    # The angle from its chord, because the arc cosine of a number near 1 is all rounding.
    chord = float((new / lengths[1] - old / lengths[0]).norm()) if cosine is not None else None
    shown = slice(MAX_COORDINATES)
    equal = difference = None
    if recorded is not None:
        computed = by_formula.cpu().numpy()
        equal = int(np.count_nonzero(computed == recorded))
        difference = to_exact_number(np.abs(computed.astype(np.float64) - recorded).max())
    return RowMovement(
        numbers=len(old),
        numbers_equal=equal,
        largest_difference=difference,
        before=to_numbers(old[shown]),
        after=to_numbers(new[shown]),
        gradient=None if gradient is None else to_numbers(gradient[shown]),
        length_before=to_number(lengths[0]),
        length_after=to_number(lengths[1]),
        distance=to_number((new - old).norm()),
        degrees=None if chord is None else to_number(math.degrees(2 * math.asin(min(1.0, chord / 2)))),
    )


def check_row(model: ExaminedModel, token: int | None, coordinate: int) -> None:
    """Raise QuestionError if the embedding has no such row or coordinate."""
    rows, numbers = model.learner.model.embedding.weight.shape
    if token is not None and token >= rows:
        raise QuestionError(
            f"token {token}: the vocabulary of this run has tokens 0 to {rows - 1}",
            give_reason("out_of_range", most=rows - 1),
        )
    if coordinate >= numbers:
        raise QuestionError(
            f"coordinate {coordinate}: a row of this run has coordinates 0 to {numbers - 1}",
            give_reason("out_of_range", most=numbers - 1),
        )


def _farthest_row(retaken: RetakenStep, sequence: int) -> int:
    seen, read = retaken.observation, retaken.token_ids[sequence, :MAX_POSITIONS]
    distances = np.where(np.isin(seen.moved_ids, read), seen.moved_distances, -np.inf)
    if not np.isfinite(distances).any():
        return int(read[0])
    return int(seen.moved_ids[int(np.argmax(distances))])


def _gradient_row(learner: Learner, token: int) -> Tensor | None:
    """Return a row's applied gradient, shape (D,); None if a sparse gradient lacks the row."""
    gradient = learner.model.embedding.weight.grad
    assert gradient is not None
    if not gradient.is_sparse:
        return gradient[token]
    places = (gradient.indices()[0] == token).nonzero().flatten()
    return gradient.values()[int(places[0])] if len(places) else None


def _moments(learner: Learner, token: int) -> _Moments | None:
    """Return Adam's averages of a row, zeros before the first step; None for an optimiser without averages."""
    optimiser, weight = learner.optimisers[0], learner.model.embedding.weight
    if "betas" not in optimiser.param_groups[0]:
        return None
    state = optimiser.state.get(weight)
    if not state:
        return _Moments(torch.zeros_like(weight[token]), torch.zeros_like(weight[token]), 0)
    return _Moments(state["exp_avg"][token], state["exp_avg_sq"][token], int(state["step"]))


def _apply_formula(
    retaken: RetakenStep, old: Tensor, gradient: Tensor | None, before: _Moments | None
) -> _Formula:
    """Return the row after the update, `old` itself if the optimiser skips it."""
    # The embedding is always the first group of the first optimiser.
    optimiser = retaken.after.optimisers[0]
    group = optimiser.param_groups[0]
    rate = float(group["lr"])
    if before is None:
        row = old if gradient is None else torch.add(old, gradient, alpha=-rate)
        return _Formula(row, rate, rate)
    betas, epsilon, step = group["betas"], group["eps"], before.step + 1
    shrunk: Tensor | None = None
    correction1, correction2 = 1 - betas[0] ** step, 1 - betas[1] ** step
    if isinstance(optimiser, torch.optim.SparseAdam):
        # SparseAdam puts the correction of v into the step size, so epsilon is added to the root of the
        # uncorrected v.
        step_size = rate * math.sqrt(correction2) / correction1
        if gradient is None:
            m, v = before.m, before.v
        else:
            m = (gradient - before.m) * (1 - betas[0]) + before.m
            v = (gradient.pow(2) - before.v) * (1 - betas[1]) + before.v
        denominator = v.sqrt() + epsilon
        row = old if gradient is None else old + -step_size * (m / denominator)
    else:
        assert gradient is not None, "dense Adam has a dense gradient"
        step_size = rate / correction1
        m = torch.lerp(before.m, gradient, 1 - betas[0])
        v = (before.v * betas[1]).addcmul(gradient, gradient, value=1 - betas[1])
        denominator = v.sqrt() / correction2**0.5 + epsilon
        # AdamW shrinks the row before it moves it.
        shrunk = old.mul(1 - rate * group["weight_decay"]) if group["weight_decay"] else None
        row = torch.addcdiv(old if shrunk is None else shrunk, m, denominator, value=-step_size)
    moments = _Moments(m, v, step)
    return _Formula(
        row, rate, step_size, moments, denominator, correction1, correction2, epsilon, betas, shrunk
    )


def _recorded_row(model: ExaminedModel, step: int, token: int) -> Floats | None:
    """Return a row after a step as recorded, shape (D,); None if the step was not kept, or lies ahead."""
    with MatrixHistory(model.run) as history:
        try:
            return history.token_history(token, step, step).vectors[-1]
        except NoSnapshotError:
            return None
