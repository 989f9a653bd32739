"""What a fork takes before it begins, from the record of its parent."""

from __future__ import annotations

from contextlib import suppress

from lamplighter.contract.documented_model import DocumentedModel
from lamplighter.forks.creation import MIN_DEFAULT_STEPS
from lamplighter.forks.parent import Parent
from lamplighter.forks.start import CORPUS_FILES


class ForkPrice(DocumentedModel):
    """What a fork at a step would take before its first own step."""

    step: int
    state_step: int
    """The step of the kept state that the replay begins with."""
    replay_steps: int
    replay_seconds: float | None
    """The time that these steps took when they were trained; null if it is not recorded."""
    bytes: int
    """Bytes to copy; without what the file system can share."""
    learning_rate: float
    """The learning rate in force after the step."""
    steps: int
    """The number of steps of a fork that does not say how many."""


def price_fork(parent: Parent) -> ForkPrice:
    """Return what a fork of a run takes, or raise ForkError."""
    state = parent.states()[0]
    replayed = parent.step - state.step
    seconds = parent.seconds_per_step()
    paths = [parent.run.path / name for name in CORPUS_FILES] + ([state.path] if state.path else [])
    size = 0
    for path in paths:
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return ForkPrice(
        step=parent.step,
        state_step=state.step,
        replay_steps=replayed,
        replay_seconds=None if seconds is None else replayed * seconds,
        bytes=size,
        learning_rate=parent.learning_rate(),
        steps=parent.default_steps(MIN_DEFAULT_STEPS),
    )
