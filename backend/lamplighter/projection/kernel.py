"""One epoch of UMAP's optimiser, as a function of its own.

umap-learn's `optimize_layout_euclidean` makes the counters that say when an edge is due next inside
itself, so every call starts them anew, and with a few epochs a call the same strong edges win each time.
Here the counters belong to the caller and can be carried from one frame to the next. The arithmetic is
umap-learn 0.5.12's (BSD-3-Clause; McInnes, Healy and Melville 2018, `umap/layouts.py`), and a test holds
it equal to it, to rounding. The compiled code is cached on the disk.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.umap_parts import clip, rdist, tau_rand_int


@numba.njit(fastmath=True, cache=True)
def run_epoch(
    places: NDArray[np.float32],
    head: NDArray[np.int32],
    tail: NDArray[np.int32],
    period: NDArray[np.float64],
    due: NDArray[np.float64],
    negative_due: NDArray[np.float64],
    negatives: float,
    epoch: int,
    alpha: float,
    a: float,
    b: float,
    rng: NDArray[np.int64],
) -> None:
    """Pull along every edge that is due, push away from random tokens; `places` and counters are changed.

    Args:
        places: shape (V, 2).
        head: shape (E,), where each edge begins; both directions are listed.
        tail: shape (E,), where it ends.
        period: shape (E,), epochs between two pulls of an edge: 1 for the strongest.
        due: shape (E,), the epoch at which the edge pulls next.
        negative_due: shape (E,), the epoch up to which the edge has pushed.
        negatives: pushes for a pull, on average.
        epoch: the number of this epoch.
        alpha: the learning rate.
        a: of the curve 1 / (1 + a d^2b).
        b: of the same curve.
        rng: shape (V, 3), the state of a random generator for every token.
    """
    size = places.shape[0]
    for i in range(period.shape[0]):
        if due[i] > epoch:
            continue
        j = head[i]
        current = places[j]
        other = places[tail[i]]
        distance = rdist(current, other)
        if distance > 0.0:
            pull = -2.0 * a * b * pow(distance, b - 1.0)
            pull /= a * pow(distance, b) + 1.0
        else:
            pull = 0.0
        for d in range(2):
            change = clip(pull * (current[d] - other[d]))
            current[d] += change * alpha
            other[d] += -change * alpha
        due[i] += period[i]
        between = period[i] / negatives
        count = int((epoch - negative_due[i]) / between)
        for _ in range(count):
            k = tau_rand_int(rng[j]) % size
            other = places[k]
            distance = rdist(current, other)
            if distance > 0.0:
                push = 2.0 * b
                push /= (0.001 + distance) * (a * pow(distance, b) + 1)
            else:
                continue
            for d in range(2):
                change = clip(push * (current[d] - other[d]))
                current[d] += change * alpha
        negative_due[i] += count * between
