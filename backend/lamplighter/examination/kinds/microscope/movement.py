"""The whole of an update: which parameters moved, by layer, and at which angle to straight downhill."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lamplighter.examination.examined_model import Answer
from lamplighter.examination.kinds.microscope.finite_numbers import to_number
from lamplighter.examination.kinds.microscope.retaken_step import RetakenStep


@dataclass
class _Movement:
    """Sums over the numbers of some parameters."""

    parameters: int = 0
    moved: int = 0
    update_square: float = 0.0
    gradient_square: float = 0.0
    dot: float = 0.0
    """Product of the update and the gradient reversed."""

    def absorb(self, other: _Movement) -> None:
        """Add the sums of other parameters to these."""
        self.parameters += other.parameters
        self.moved += other.moved
        self.update_square += other.update_square
        self.gradient_square += other.gradient_square
        self.dot += other.dot

    def describe(self) -> Answer:
        """Return the sums as a part of the answer."""
        lengths = math.sqrt(self.update_square) * math.sqrt(self.gradient_square)
        cosine = max(-1.0, min(1.0, self.dot / lengths)) if lengths else None
        return {
            "parameters": self.parameters,
            "moved": self.moved,
            "share": self.moved / self.parameters,
            "length": to_number(math.sqrt(self.update_square)),
            "cosine": None if cosine is None else to_number(cosine),
            "degrees": None if cosine is None else to_number(math.degrees(math.acos(cosine))),
        }


@torch.no_grad()
def describe_movement(retaken: RetakenStep) -> Answer:
    """Return how much of the model the update moved, and its angle to the gradient reversed, over all parameters.

    `length` is the Euclidean length of the update; `cosine` and `degrees` are None where nothing moved. Each layer has
    the same as the whole.
    """
    total, layers = _Movement(), []
    before = retaken.before.model.layers()
    for layer, parameters in retaken.after.model.layers().items():
        of_layer = _Movement()
        for old, new in zip(before[layer], parameters, strict=True):
            of_layer.absorb(_compare(old, new))
        total.absorb(of_layer)
        layers.append({"layer": layer, **of_layer.describe()})
    rows = len(retaken.observation.moved_ids)
    vocabulary = retaken.after.model.embedding.num_embeddings
    return {**total.describe(), "rows_moved": rows, "rows": vocabulary, "layers": layers}


def _compare(old: Tensor, new: Tensor) -> _Movement:
    gradient = new.grad
    assert gradient is not None
    update = new - old
    found = _Movement(update.numel(), int(torch.count_nonzero(update)))
    found.update_square = _dot(update, update)
    if gradient.is_sparse:
        # Only its rows have a gradient: no dense matrix is made of it.
        update, gradient = update[gradient.indices()[0]], gradient.values()
    found.gradient_square = _dot(gradient, gradient)
    found.dot = -_dot(update, gradient)
    return found


def _dot(left: Tensor, right: Tensor) -> float:
    """Return the sum of products, added up in 64 bits where the device has them."""
    wide = torch.float32 if left.device.type == "mps" else torch.float64
    return float(torch.dot(left.flatten().to(wide), right.flatten().to(wide)))
