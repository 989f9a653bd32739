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

from lamplighter.projection.umap_parts import tau_rand_int

_STEPS = 2048
"""Of the table of powers, between 1 and 2."""


class Curve:
    """1 / (1 + a d^2b), how near tokens feel at a distance d, and a table of the powers x^b of a float32.

    The powers are most of what the optimiser computes. x is 2^e times a number from 1 to 2, and so is its power:
    one table holds (2^e)^b, another the powers between 1 and 2 in steps so fine that the line between two of
    them is right to the rounding of a float32.
    """

    def __init__(self, a: float, b: float) -> None:
        self.a, self.b = a, b
        largest = float(np.finfo(np.float32).max)
        with np.errstate(over="ignore"):
            exponents = np.exp2(b * (np.arange(256) - 127.0))
        self.exponents = np.minimum(exponents, largest).astype(np.float32)
        """Shape (256,), by the exponent bits."""
        self.mantissas = ((1 + np.arange(_STEPS + 1) / _STEPS) ** b).astype(np.float32)
        """Shape (2049,), by the first eleven bits of the mantissa."""


@numba.njit(fastmath=True, cache=True, inline="always")
def power(x: float, exponents: NDArray[np.float32], mantissas: NDArray[np.float32]) -> np.float32:
    """x^b by the tables of a `Curve`, of a float32 above 0."""
    bits = np.float32(x).view(np.uint32)
    at = (bits >> np.uint32(12)) & np.uint32(2047)
    rest = np.float32(bits & np.uint32(4095)) * np.float32(1 / 4096)
    low = mantissas[at]
    return exponents[bits >> np.uint32(23)] * (low + rest * (mantissas[at + np.uint32(1)] - low))


@numba.njit(fastmath=True, cache=True, inline="always")
def within(change: np.float32) -> np.float32:
    """umap-learn's limit for one change."""
    return min(np.float32(4), max(np.float32(-4), change))


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
    rate: float,
    a_of_curve: float,
    b_of_curve: float,
    exponents: NDArray[np.float32],
    mantissas: NDArray[np.float32],
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
        rate: the learning rate.
        a_of_curve: of the `Curve`; so are `b_of_curve`, `exponents` and `mantissas`.
        rng: shape (V, 3), the state of a random generator for every token.
    """
    size = places.shape[0]
    one, alpha, a, b = np.float32(1), np.float32(rate), np.float32(a_of_curve), np.float32(b_of_curve)
    for i in range(period.shape[0]):
        if due[i] > epoch:
            continue
        j, k = head[i], tail[i]
        due[i] += period[i]
        between = period[i] / negatives
        count = int((epoch - negative_due[i]) / between)
        negative_due[i] += count * between
        x, y = places[j, 0], places[j, 1]
        dx, dy = x - places[k, 0], y - places[k, 1]
        distance = dx * dx + dy * dy
        if distance > 0:
            raised = power(distance, exponents, mantissas)
            pull = np.float32(-2) * a * b * raised / (distance * (a * raised + one))
            change_x, change_y = within(pull * dx) * alpha, within(pull * dy) * alpha
            x += change_x
            y += change_y
            places[k, 0] -= change_x
            places[k, 1] -= change_y
        for _ in range(count):
            k = tau_rand_int(rng[j]) % size
            if k == j:
                continue
            dx, dy = x - places[k, 0], y - places[k, 1]
            distance = dx * dx + dy * dy
            if distance > 0:
                raised = power(distance, exponents, mantissas)
                push = np.float32(2) * b / ((np.float32(0.001) + distance) * (a * raised + one))
                x += within(push * dx) * alpha
                y += within(push * dy) * alpha
        places[j, 0], places[j, 1] = x, y


@numba.njit(cache=True)
def carry(
    old_head: NDArray[np.int32],
    old_tail: NDArray[np.int32],
    old_weight: NDArray[np.float32],
    old_due: NDArray[np.float64],
    old_negative_due: NDArray[np.float64],
    head: NDArray[np.int32],
    tail: NDArray[np.int32],
    weight: NDArray[np.float32],
    due: NDArray[np.float64],
    negative_due: NDArray[np.float64],
    epoch: int,
    kept: NDArray[np.float64],
    larger: NDArray[np.float64],
) -> None:
    """Carry the counters of edges from one graph to the next; those of new edges stay as they are.

    An edge that is in both keeps the share of its period that it had still to wait.

    Args:
        old_head: shape (E,), and so on: the last graph, its edges by (head, tail), and its counters.
        head: shape (F,), and so on: the next one.
        due: shape (F,), changed; so is `negative_due`.
        epoch: the number of the epoch that was run last.
        kept: shape (V,), zeros; to be the weight that a token's edges have in both graphs.
        larger: shape (V,), zeros; to be the weight that they have in either.
    """
    old_most = old_weight.max() if len(old_weight) else np.float32(1)
    most = weight.max() if len(weight) else np.float32(1)
    i = 0
    for e in range(len(head)):
        while i < len(old_head) and (
            old_head[i] < head[e] or (old_head[i] == head[e] and old_tail[i] < tail[e])
        ):
            larger[old_head[i]] += old_weight[i]
            i += 1
        if i < len(old_head) and old_head[i] == head[e] and old_tail[i] == tail[e]:
            # Of the periods, most / weight.
            stretch = np.float64(most) / weight[e] * old_weight[i] / old_most
            due[e] = epoch + (old_due[i] - epoch) * stretch
            negative_due[e] = epoch + (old_negative_due[i] - epoch) * stretch
            kept[head[e]] += min(weight[e], old_weight[i])
            larger[head[e]] += max(weight[e], old_weight[i])
            i += 1
        else:
            larger[head[e]] += weight[e]
    while i < len(old_head):
        larger[old_head[i]] += old_weight[i]
        i += 1
