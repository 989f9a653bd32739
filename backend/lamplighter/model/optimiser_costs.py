"""The cost of an update by each optimiser: what it keeps, computes, reads and writes for each number that it updates."""

from __future__ import annotations

from typing import NamedTuple

from lamplighter.recipe import OptimiserKind

NUMBER_BYTES = 4
"""Bytes of a weight, a gradient or an average: all are float32."""
CLIP_FLOPS = 3
"""Operations of clipping: a square and a sum for the norm of all gradients, then the scale."""


class OptimiserCost(NamedTuple):
    """The cost of one optimiser, by updated number."""

    arrays: int
    """Numbers that are kept from step to step, the weight itself included: with Adam both moving averages, too."""
    flops: int
    """Floating-point operations of torch's formula, divisions and roots included, clipping not."""


OPTIMISER_COSTS: dict[OptimiserKind, OptimiserCost] = {
    # SparseAdam: m += (1 - b1)(g - m), 3; v += (1 - b2)(g g - v), 4; w += s m / (sqrt(v) + e), 5. s holds both corrections.
    "lazy": OptimiserCost(arrays=3, flops=12),
    # Adam (Kingma and Ba 2015, arXiv 1412.6980): the same, and the root is divided by its correction.
    "adam": OptimiserCost(arrays=3, flops=13),
    # w += s g.
    "sgd": OptimiserCost(arrays=1, flops=2),
}


def count_update_flops(kind: OptimiserKind, numbers: int) -> int:
    """Count the floating-point operations of clipping and updating so many numbers."""
    return (CLIP_FLOPS + OPTIMISER_COSTS[kind].flops) * numbers


def count_update_bytes(kind: OptimiserKind, numbers: int) -> int:
    """Count the bytes of memory that updating so many numbers reads and writes: the gradient is read, and every array is read
    and written. Clipping is not among them."""
    return (1 + 2 * OPTIMISER_COSTS[kind].arrays) * NUMBER_BYTES * numbers
