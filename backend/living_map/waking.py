"""Rows that sleep: where few rows moved, the optimiser moves those whose neighbourhood changed, and no others.

A row wakes once its edges have changed by `WAKING_CHANGE` in all, and its learning rate follows that change. From frame to
frame the rate decays, and below `RESTING_RATE` the row sleeps. An edge with a sleeping end pulls the other end alone; an edge
between sleepers waits, its counters with it. So a frame costs what the rows that are awake cost, and sleepers hold the map in
its place.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from living_map.sgd_kernel import clip_change, next_states, offset_from, power

WAKING_CHANGE = 0.05
"""Share of the weight of a row's edges that must have changed for it to wake."""
RESTING_RATE = 0.02
"""Learning rate below which a row sleeps."""
_DECAY = 0.5
"""Factor on a row's rate from frame to frame."""
MAX_AWAKE = 0.5
"""Share of rows awake above which all of them are optimised."""


class RowRates:
    """The learning rate of each row, and the changes that have not woken it yet."""

    def __init__(self, size: int, rate: float) -> None:
        """Start with all of `size` rows awake, at one rate."""
        self.rates = np.full(size, rate, dtype=np.float32)
        """Shape (V,)."""
        self._pending = np.zeros(size, dtype=np.float32)

    def exchange_rows(self, stay: NDArray[np.int64], size: int) -> None:
        """Keep the rows `stay`, which come first among `size` now."""
        arrived = np.zeros(size - len(stay), dtype=np.float32)
        self.rates = np.concatenate((self.rates[stay], arrived))
        self._pending = np.concatenate((self._pending[stay], arrived))

    def wake(self, unrest: NDArray[np.float32], gain: float, most: float) -> None:
        """Let the rates decay by a frame, and wake the rows that have changed enough. `unrest`: shape (V,),
        the share of the weight of each row's edges that changed in this frame; `gain`: the rate of a row
        whose edges all changed; `most`: the highest rate.
        """
        self._pending += unrest
        woken = self._pending >= WAKING_CHANGE
        self.rates *= np.float32(_DECAY)
        self.rates[woken] = np.maximum(self.rates[woken], np.minimum(most, gain * self._pending[woken]))
        self._pending[woken] = 0
        self.rates[self.rates < RESTING_RATE] = 0

    def set_all(self, rate: float) -> None:
        """Set the rate of every row: all are optimised in this frame."""
        self.rates[:] = rate
        self._pending[:] = 0

    @property
    def few_awake(self) -> bool:
        """Return whether optimising the rows that are awake alone is worth it."""
        return int(np.count_nonzero(self.rates)) <= MAX_AWAKE * len(self.rates)


@numba.njit(cache=True, nogil=True)
def split_edges(
    head: NDArray[np.int32],
    tail: NDArray[np.int32],
    rates: NDArray[np.float32],
    second: NDArray[np.bool_],
    due: NDArray[np.float64],
    negative_due: NDArray[np.float64],
    epoch: int,
    epochs: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Return the edges that pull in the next `epochs`: within either half of the map, and between them. The
    counters of edges between sleepers wait. `rates`: shape (V,), 0 for rows that sleep; `second`: shape (V,),
    the rows in the second half of the map.
    """
    found = np.empty((3, len(head)), dtype=np.int32)
    counts = np.zeros(3, dtype=np.int64)
    until = epoch + epochs
    for edge in range(len(head)):
        one, other = head[edge], tail[edge]
        if rates[one] > 0 or rates[other] > 0:
            if due[edge] <= until:
                side = (1 if second[one] else 0) if second[one] == second[other] else 2
                found[side, counts[side]] = edge
                counts[side] += 1
        else:
            due[edge] += epochs
            negative_due[edge] += epochs
    return found[0, : counts[0]], found[1, : counts[1]], found[2, : counts[2]]


@numba.njit(fastmath=True, cache=True, nogil=True)
def run_listed_epoch(
    edges: NDArray[np.int32],
    coordinates: NDArray[np.float32],
    head: NDArray[np.int32],
    tail: NDArray[np.int32],
    period: NDArray[np.float64],
    due: NDArray[np.float64],
    negative_due: NDArray[np.float64],
    negatives: float,
    epoch: int,
    rates: NDArray[np.float32],
    share: float,
    a_of_curve: float,
    b_of_curve: float,
    exponents: NDArray[np.float32],
    mantissas: NDArray[np.float32],
    rng: NDArray[np.int64],
) -> None:
    """Run an epoch of some edges, ascending, as `run_epoch` does of all, each row at `share` of its own rate.
    The pushes that go with a pull are computed from one position, so that they do not wait for one another:
    an epoch takes two thirds of the time. `rates`: shape (V,), 0 for rows that sleep, which do not move.
    """
    size = coordinates.shape[0]
    one, a, b = np.float32(1), np.float32(a_of_curve), np.float32(b_of_curve)
    left = np.float32(share)
    for n in range(len(edges)):
        i = edges[n]
        if due[i] > epoch:
            continue
        j, k = int(head[i]), int(tail[i])
        due[i] += period[i]
        between = period[i] / negatives
        count = int((epoch - negative_due[i]) / between)
        negative_due[i] += count * between
        alpha, beta = rates[j] * left, rates[k] * left
        x, y = coordinates[j, 0], coordinates[j, 1]
        dx, dy, distance = offset_from(coordinates, k, x, y)
        if distance > 0:
            raised = power(distance, exponents, mantissas)
            pull = np.float32(-2) * a * b * raised / (distance * (a * raised + one))
            change_x, change_y = clip_change(pull * dx), clip_change(pull * dy)
            x += change_x * alpha
            y += change_y * alpha
            coordinates[k, 0] -= change_x * beta
            coordinates[k, 1] -= change_y * beta
        if alpha > 0:
            one_state, other_state, third_state = rng[j, 0], rng[j, 1], rng[j, 2]
            push_x, push_y = np.float32(0), np.float32(0)
            for _ in range(count):
                one_state, other_state, third_state = next_states(one_state, other_state, third_state)
                k = ((one_state ^ other_state ^ third_state) * size) >> 32
                # A row does not push itself: the offset is 0.
                dx, dy, distance = offset_from(coordinates, k, x, y)
                distance = max(distance, np.float32(1e-30))
                raised = power(distance, exponents, mantissas)
                push = np.float32(2) * b / ((np.float32(0.001) + distance) * (a * raised + one))
                push_x += clip_change(push * dx)
                push_y += clip_change(push * dy)
            rng[j, 0], rng[j, 1], rng[j, 2] = one_state, other_state, third_state
            x += push_x * alpha
            y += push_y * alpha
        coordinates[j, 0], coordinates[j, 1] = x, y
