"""The model that a trainer trains, in its own process; `processes/shared_model.py` trains it in several."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lamplighter.model.learner import Learner, build_learner
from lamplighter.model.observer import Observation, Observer
from lamplighter.model.step import train_step
from lamplighter.runfolder.run_folder import RunFolder


@dataclass(frozen=True)
class ComputedStep:
    """A step that is computed but not yet committed."""

    observation: Observation
    ended: float
    """The time at which training ended and observation began, Unix seconds."""
    seconds: float
    """The duration of training alone."""


class TrainedModel:
    """A model in training, with the observer of its steps."""

    def __init__(self, run: RunFolder, device: torch.device) -> None:
        self.recipe, self.vocabulary, self._device = run.recipe, run.vocabulary, device
        self.learner: Learner
        self.observer: Observer

    def start_afresh(self) -> tuple[Learner, Observer]:
        """Return the model in its initial state, with its observer. Until the next step, what is loaded into it counts."""
        self.learner = build_learner(self.recipe, len(self.vocabulary), self._device, self.vocabulary.counts)
        self.observer = Observer(self.learner, self.recipe.cadence.verify_every)
        return self.learner, self.observer

    def compute(
        self, step: int, rate: float, host_ids: NDArray[np.int64], ids: Tensor, targets: Tensor
    ) -> ComputedStep:
        """Train on a batch of shape (B, T) at a learning rate, and observe what the step did."""
        self.learner.set_learning_rate(rate)
        start = time.perf_counter()
        result = train_step(self.learner, ids, targets)
        synchronise(self._device)
        seconds, ended = time.perf_counter() - start, time.time()
        return ComputedStep(self.observer.observe(step, host_ids, result), ended, seconds)

    def processor_seconds(self) -> float:
        """Return the CPU seconds that training has taken, in all processes."""
        return time.process_time()

    def note_step(self, attempt: int, step: int) -> None:
        """Take note that the step computed last is about to be committed, perhaps not for the first time."""

    def require_all(self) -> None:
        """Check that every process that trains is alive. Raises ProcessLostError if one has ended."""

    def close(self) -> None:
        """Close what was opened for the record."""


def synchronise(device: torch.device) -> None:
    """Wait until the device is idle, for correct timing: GPUs compute asynchronously."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    elif device.type == "mps":
        torch.mps.synchronize()
