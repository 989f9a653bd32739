"""The model that a trainer trains, in its own process or in several."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

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


class TrainedModel(Protocol):
    """A model in training, with the observer of its steps."""

    @property
    def observer(self) -> Observer: ...

    def start_afresh(self) -> tuple[Learner, Observer]:
        """Return the model in its initial state, with its observer. Until the next step, what is loaded into it counts."""
        ...

    def whole_learner(self, *, moments: bool = True) -> Learner:
        """Return the model as it is, to be read until the next step; without `moments` only its weights need be valid."""
        ...

    def compute(
        self, step: int, rate: float, host_ids: NDArray[np.int64], ids: Tensor, targets: Tensor
    ) -> ComputedStep:
        """Train on a batch of shape (B, T) at a learning rate, and observe what the step did."""
        ...

    def processor_seconds(self) -> float:
        """Return the CPU seconds that training has taken, in all processes."""
        ...

    def note_step(self, attempt: int, step: int) -> None:
        """Take note that the step computed last is about to be committed, perhaps not for the first time."""
        ...

    def require_all(self) -> None:
        """Check that every process that trains is alive. Raises ProcessLostError if one has ended."""
        ...

    def close(self) -> None:
        """Close what was opened for the record."""
        ...


class LocalModel:
    """A model in this process."""

    def __init__(self, run: RunFolder, device: torch.device) -> None:
        self._recipe, self._vocabulary, self._device = run.recipe, run.vocabulary, device
        self._learner: Learner
        self.observer: Observer

    def start_afresh(self) -> tuple[Learner, Observer]:
        self._learner = build_learner(
            self._recipe, len(self._vocabulary), self._device, self._vocabulary.counts
        )
        self.observer = Observer(self._learner, self._recipe.cadence.verify_every)
        return self._learner, self.observer

    def whole_learner(self, *, moments: bool = True) -> Learner:
        del moments
        return self._learner

    def compute(
        self, step: int, rate: float, host_ids: NDArray[np.int64], ids: Tensor, targets: Tensor
    ) -> ComputedStep:
        self._learner.set_learning_rate(rate)
        start = time.perf_counter()
        result = train_step(self._learner, ids, targets)
        synchronise(self._device)
        seconds, ended = time.perf_counter() - start, time.time()
        return ComputedStep(self.observer.observe(step, host_ids, result), ended, seconds)

    def processor_seconds(self) -> float:
        return time.process_time()

    def note_step(self, attempt: int, step: int) -> None: ...

    def require_all(self) -> None: ...

    def close(self) -> None: ...


def synchronise(device: torch.device) -> None:
    """Wait until the device is idle, for correct timing: GPUs compute asynchronously."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    elif device.type == "mps":
        torch.mps.synchronize()
