"""The cost of an optimiser's update: numbers kept, computed, read and written for each updated number."""

from __future__ import annotations

from typing import NamedTuple

from lamplighter.contract.recipe import OptimiserKind

NUMBER_BYTES = 4
"""Bytes of a weight, a gradient or an average: all are float32."""
CLIP_FLOPS = 3
"""Operations of clipping: a square and a sum for the norm of all gradients, then the scale."""


class OptimiserCost(NamedTuple):
    """The cost of one optimiser for each updated number."""

    arrays: int
    """Numbers kept between steps: the weight and, for Adam, both moving averages."""
    flops: int
    """Floating-point operations of torch's formula, including divisions and roots but not clipping."""


OPTIMISER_COSTS: dict[OptimiserKind, OptimiserCost] = {
    # SparseAdam: m += (1 - b1)(g - m), 3; v += (1 - b2)(g g - v), 4; w += s m / (sqrt(v) + e), 5. s holds both corrections.
    "lazy": OptimiserCost(arrays=3, flops=12),
    # Adam (Kingma and Ba 2015, arXiv 1412.6980): as above, and the root is divided by its correction.
    "adam": OptimiserCost(arrays=3, flops=13),
    # w += s g.
    "sgd": OptimiserCost(arrays=1, flops=2),
}


def count_update_flops(kind: OptimiserKind, numbers: int) -> int:
    """Count the floating-point operations of clipping and updating `numbers` numbers."""
    return (CLIP_FLOPS + OPTIMISER_COSTS[kind].flops) * numbers


def count_update_bytes(kind: OptimiserKind, numbers: int) -> int:
    """Count the bytes of memory that updating `numbers` numbers reads and writes: it reads the gradient, and reads and
    writes every array. Excludes clipping."""
    return (1 + 2 * OPTIMISER_COSTS[kind].arrays) * NUMBER_BYTES * numbers
