"""Numbers of tensors as JSON has them: finite, and no longer than a 32-bit number needs."""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor


def to_number(value: Tensor | float) -> float | None:
    """Return a number as the shortest decimal that is the same 32-bit number; None if it is not finite."""
    number = float(str(np.float32(float(value))))
    return number if math.isfinite(number) else None


def to_numbers(values: Tensor) -> list[float | None]:
    """Return the numbers of a tensor of shape (N,), each as `to_number` does."""
    return [to_number(value) for value in values.detach().float().cpu().tolist()]


def to_exact_number(value: Tensor | float) -> float | None:
    """Return a number with every digit; None if it is not finite."""
    number = float(value)
    return number if math.isfinite(number) else None
