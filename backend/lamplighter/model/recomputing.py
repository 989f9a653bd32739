"""A recorded step, computed again as the trainer computed it."""

from __future__ import annotations

from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import Learner
from lamplighter.model.observer import Observation, Observer
from lamplighter.model.step import train_step


class NotFiniteError(ValueError):
    """Raised for a recomputed step whose numbers are no longer finite."""


def recompute_step(
    learner: Learner, observer: Observer, batches: BatchReader, step: int, learning_rate: float
) -> Observation:
    """Train on the batch of a step and return what it did; its digest tells whether it equals the recorded
    one. Raises NotFiniteError if the model is no longer finite; the step was applied.
    """
    learner.set_learning_rate(learning_rate)
    host_ids, ids, targets = batches.batch(step)
    observed = observer.observe(step, host_ids, train_step(learner, ids, targets))
    if not observed.is_finite:
        raise NotFiniteError(f"computed again here, step {step:,} gives numbers that are no longer finite")
    return observed
