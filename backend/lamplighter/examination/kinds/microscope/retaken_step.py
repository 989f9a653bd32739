"""One training step, repeated on a copy of the model, with its intermediate tensors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from lamplighter.examination.examined_model import ExaminedModel
from lamplighter.examination.readings import ModuleReading
from lamplighter.model.learner import Learner
from lamplighter.model.observer import Observation, Observer
from lamplighter.model.step import train_step
from lamplighter.model.transformer import Block


def to_number(value: Tensor | float) -> float | None:
    """Return the shortest decimal of a 32-bit number; None if it is not finite."""
    number = float(str(np.float32(float(value))))
    return number if math.isfinite(number) else None


def to_numbers(values: Tensor) -> list[float | None]:
    return [to_number(value) for value in values.detach().float().cpu().tolist()]


def to_exact_number(value: Tensor | float) -> float | None:
    """Return a number with every digit; None if it is not finite."""
    number = float(value)
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class RetakenStep:
    """A recomputed step: B sequences of T positions, V tokens."""

    before: Learner
    """The model before the step, unchanged."""
    after: Learner
    """The model after it, with the gradients as they were applied, clipped."""
    observation: Observation
    layers: list[str]
    """The observation's layer names."""
    clip_scale: float
    """Factor by which all gradients were scaled, at most 1."""
    token_ids: NDArray[np.int64]
    """Shape (B, T)."""
    targets: Tensor
    """The next tokens, shape (B, T)."""
    logits: Tensor
    """Logits before the update, shape (B T, V), 32 bits."""
    widen_input: Tensor
    """Input of the first block's `widen`, shape (B, T, D)."""
    widen_output: Tensor
    """Its output, shape (B, T, 4 D)."""


def retake_step(model: ExaminedModel) -> RetakenStep:
    """Recompute the step after the model's, exactly as the trainer did; hooks read the tensors meanwhile."""
    learner, step = model.copy(), model.step + 1
    learner.set_learning_rate(model.learning_rate)
    observer = Observer(learner, model.run.recipe.cadence.verify_every)
    host_ids, ids, targets = model.batches.batch(step)
    first_block = learner.model.blocks[0]
    assert isinstance(first_block, Block)
    with (
        ModuleReading(first_block.mlp.widen) as widen,
        ModuleReading(learner.model.unembedding) as unembedding,
    ):
        result = train_step(learner, ids, targets)
    return RetakenStep(
        before=model.learner,
        after=learner,
        observation=observer.observe(step, host_ids, result),
        layers=observer.layers,
        clip_scale=float(result.clip_scale),
        token_ids=host_ids,
        targets=targets,
        logits=unembedding.output.flatten(0, 1).float(),
        widen_input=widen.input,
        widen_output=widen.output,
    )


@torch.no_grad()
def compute_logits(learner: Learner, ids: Tensor) -> Tensor:
    """Return the logits of all positions of a batch (B, T) as training computes them, shape (B T, V), 32 bits."""
    with torch.autocast(learner.device.type, learner.autocast, enabled=learner.autocast is not None):
        logits = learner.model.logits(ids)
    return logits.flatten(0, 1).float()


def measure_loss(learner: Learner, ids: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(compute_logits(learner, ids), targets.flatten())
