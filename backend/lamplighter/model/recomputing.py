"""A recorded step, computed again as the trainer computed it."""

from __future__ import annotations

from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import Learner
from lamplighter.model.observer import Observation, Observer
from lamplighter.model.split.step_in_parts import train_step_in_parts
from lamplighter.model.step import train_step


class NotFiniteError(ValueError):
    """Raised for a recomputed step whose numbers are no longer finite."""


def recompute_step(
    learner: Learner,
    observer: Observer,
    batches: BatchReader,
    step: int,
    learning_rate: float,
    processes: int = 1,
) -> Observation:
    """Train on the batch of a step and return what it did; its digest tells whether it equals the recorded
    one. With the number of `processes` that computed it, sums are made in their order. Raises
    NotFiniteError if the model is no longer finite; the step was applied.
    """
    learner.set_learning_rate(learning_rate)
    host_ids, ids, targets = batches.batch(step)
    if processes == 1:
        result = train_step(learner, ids, targets)
    else:
        result = train_step_in_parts(learner, ids, targets, processes)
    observed = observer.observe(step, host_ids, result)
    if not observed.is_finite:
        raise NotFiniteError(f"computed again here, step {step:,} gives numbers that are no longer finite")
    return observed
