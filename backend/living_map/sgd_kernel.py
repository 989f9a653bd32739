"""A single epoch of UMAP's optimiser, as a separate function.

umap-learn's `optimize_layout_euclidean` creates the counters of each edge's next pull internally, so every call resets
them, and with a few epochs per call the same strong edges win each time. Here the counters belong to the caller and can
be carried from frame to frame. The arithmetic is that of umap-learn 0.5.12 (BSD-3-Clause, whose text is in `NOTICE.md`;
McInnes, Healy and Melville 2018, `umap/layouts.py`); a test checks that both agree to rounding. Compiled code is cached
on disk. We do not import the package: that takes a second, or ten before it is compiled, because it compiles much that
we do not use.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

_STEPS = 2048
"""Intervals of the table of powers between 1 and 2."""


class AttractionCurve:
    """The attraction curve 1 / (1 + a d^2b) at distance d, with tables of the powers x^b of a float32.

    Powers are most of the optimiser's cost. x is 2^e times a number from 1 to 2, and so is its power. One
    table holds (2^e)^b, another the powers between 1 and 2 in steps so fine that linear interpolation is
    exact to float32 rounding.
    """

    def __init__(self, a: float, b: float) -> None:
        self.a, self.b = a, b
        largest = float(np.finfo(np.float32).max)
        with np.errstate(over="ignore"):
            exponents = np.exp2(b * (np.arange(256) - 127.0))
        self.exponents = np.minimum(exponents, largest).astype(np.float32)
        """Shape (256,), indexed by the exponent bits."""
        self.mantissas = ((1 + np.arange(_STEPS + 1) / _STEPS) ** b).astype(np.float32)
        """Shape (2049,), indexed by the first eleven bits of the mantissa."""

    @staticmethod
    def fit(spread: float, min_dist: float) -> AttractionCurve:
        """Fit the curve to an attraction that is 1 up to `min_dist` and falls exponentially beyond, by least squares at
        the 300 distances that umap-learn takes (`find_ab_params`)."""
        from scipy.optimize import curve_fit

        distances = np.linspace(0, 3 * spread, 300)
        wanted = np.where(distances < min_dist, 1.0, np.exp(-(distances - min_dist) / spread))
        # The fit may try a negative power of the distance 0.
        with np.errstate(all="ignore"):
            (a, b), _ = curve_fit(_attraction, distances, wanted)
        return AttractionCurve(float(a), float(b))


def _attraction(distance: NDArray[np.float64], a: float, b: float) -> NDArray[np.float64]:
    return 1 / (1 + a * distance ** (2 * b))


@numba.njit(fastmath=True, cache=True, inline="always")
def power(x: np.float32, exponents: NDArray[np.float32], mantissas: NDArray[np.float32]) -> np.float32:
    """Return x^b for a float32 `x` above 0, from the tables of an `AttractionCurve`."""
    bits = np.float32(x).view(np.uint32)
    index = (bits >> np.uint32(12)) & np.uint32(2047)
    rest = np.float32(bits & np.uint32(4095)) * np.float32(1 / 4096)
    low = mantissas[index]
    return exponents[bits >> np.uint32(23)] * (low + rest * (mantissas[index + np.uint32(1)] - low))


@numba.njit(fastmath=True, cache=True, inline="always")
def clip_change(change: np.float32) -> np.float32:
    """Clip one change of a coordinate to umap-learn's limits, -4 to 4."""
    return min(np.float32(4), max(np.float32(-4), change))


@numba.njit(fastmath=True, cache=True, inline="always")
def offset_from(
    coordinates: NDArray[np.float32], token: int, x: np.float32, y: np.float32
) -> tuple[np.float32, np.float32, np.float32]:
    """Return the offset of a point from a token, dx and dy, and its length squared."""
    dx, dy = x - coordinates[token, 0], y - coordinates[token, 1]
    return dx, dy, dx * dx + dy * dy


@numba.njit(cache=True, inline="always")
def next_states(first: int, second: int, third: int) -> tuple[int, int, int]:
    """Return the next states, of 32 bits, of a combined Tausworthe generator (L'Ecuyer 1996, `taus88`)."""
    word = 0xFFFFFFFF
    return (
        ((first & 0xFFFFFFFE) << 12 & word) ^ (((first << 13 & word) ^ first) >> 19),
        ((second & 0xFFFFFFF8) << 4 & word) ^ (((second << 2 & word) ^ second) >> 25),
        ((third & 0xFFFFFFF0) << 17 & word) ^ (((third << 3 & word) ^ third) >> 11),
    )


@numba.njit(cache=True, inline="always")
def draw_integer(state: NDArray[np.int64]) -> np.int32:
    """Return the next 32 random bits, as umap-learn draws them, and advance the state, (3,), in place."""
    state[0], state[1], state[2] = next_states(state[0], state[1], state[2])
    return np.int32(state[0] ^ state[1] ^ state[2])


@numba.njit(fastmath=True, cache=True)
def run_epoch(
    coordinates: NDArray[np.float32],
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
    """Pull along every edge that is due and push away from random tokens, in place.

    `head`, `tail`: shape (E,), the tokens of each edge; both directions are listed. `period`: shape (E,),
    epochs between two pulls of an edge: 1 for the strongest. `due`: the epoch at which it pulls next;
    `negative_due`: up to which it has pushed. `negatives`: average number of pushes per pull. `a_of_curve`,
    `b_of_curve`, `exponents` and `mantissas` are from the `AttractionCurve`. `rng`: shape (V, 3), the state
    of a generator for every token.
    """
    size = coordinates.shape[0]
    one, alpha, a, b = np.float32(1), np.float32(rate), np.float32(a_of_curve), np.float32(b_of_curve)
    for i in range(period.shape[0]):
        if due[i] > epoch:
            continue
        j, k = head[i], tail[i]
        due[i] += period[i]
        between = period[i] / negatives
        count = int((epoch - negative_due[i]) / between)
        negative_due[i] += count * between
        x, y = coordinates[j, 0], coordinates[j, 1]
        dx, dy, distance = offset_from(coordinates, k, x, y)
        if distance > 0:
            raised = power(distance, exponents, mantissas)
            pull = np.float32(-2) * a * b * raised / (distance * (a * raised + one))
            change_x, change_y = clip_change(pull * dx) * alpha, clip_change(pull * dy) * alpha
            x += change_x
            y += change_y
            coordinates[k, 0] -= change_x
            coordinates[k, 1] -= change_y
        for _ in range(count):
            k = draw_integer(rng[j]) % size
            if k == j:
                continue
            dx, dy, distance = offset_from(coordinates, k, x, y)
            if distance > 0:
                raised = power(distance, exponents, mantissas)
                push = np.float32(2) * b / ((np.float32(0.001) + distance) * (a * raised + one))
                x += clip_change(push * dx) * alpha
                y += clip_change(push * dy) * alpha
        coordinates[j, 0], coordinates[j, 1] = x, y


@numba.njit(cache=True, nogil=True)
def carry_counters(
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
    old_most: np.float32,
    most: np.float32,
    epoch: int,
    kept: NDArray[np.float64],
    larger: NDArray[np.float64],
) -> None:
    """Carry the counters of edges from one graph to the next; the counters of new edges stay as they are.

    An edge in both graphs keeps the fraction of its period left until its next pull. The `old_` arrays, (E,),
    are the last graph, its edges sorted by (head, tail), of some heads, or of all; `head`, `tail` and
    `weight`, (F,), are the next, of the same heads; `due` and `negative_due` are changed in place.
    `old_most`, `most`: the largest weight of either whole graph. `kept`, `larger`: shape (V,), zeros on
    entry; they receive the weight of each token's edges in both graphs, and in either.
    """
    i = 0
    for e in range(len(head)):
        while i < len(old_head) and (
            old_head[i] < head[e] or (old_head[i] == head[e] and old_tail[i] < tail[e])
        ):
            larger[old_head[i]] += old_weight[i]
            i += 1
        if i < len(old_head) and old_head[i] == head[e] and old_tail[i] == tail[e]:
            # The ratio of the new period to the old one; a period is most / weight.
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
