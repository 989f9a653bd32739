"""The fuzzy neighbourhood graph of UMAP, as plain arrays in a fixed order, updated from frame to frame.

A token's membership strengths (McInnes, Healy and Melville 2018: sigma, rho and the strengths) depend on its
own row of neighbours alone, so they are recomputed only where that row changed. The fuzzy union of the two
directions of each edge takes two passes over the neighbours, in the order of tokens, and sorts only the rows that changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from living_map.two_threads import run_each, split_range


@dataclass(frozen=True)
class FuzzyGraph:
    """Weighted edges, each in both directions, sorted by (head, tail)."""

    size: int
    """Number of tokens, V."""
    head: NDArray[np.int32]
    """Shape (E,)."""
    tail: NDArray[np.int32]
    """Shape (E,)."""
    weight: NDArray[np.float32]
    """Shape (E,), above 0, at most 1."""

    def exchange_rows(self, stay: NDArray[np.int64], size: int) -> tuple[FuzzyGraph, NDArray[np.bool_]]:
        """Return the graph of the rows `stay`, first among `size` now, and which edges it kept, (E,)."""
        new_ids = np.full(self.size, -1, dtype=np.int32)
        new_ids[stay] = np.arange(len(stay))
        head, tail = new_ids[self.head], new_ids[self.tail]
        kept = (head >= 0) & (tail >= 0)
        return FuzzyGraph(size, head[kept], tail[kept], self.weight[kept]), kept

    def edges_of(self, first: int, end: int) -> slice:
        begin, stop = np.searchsorted(self.head, np.array((first, end), dtype=self.head.dtype))
        return slice(int(begin), int(stop))

    @property
    def period(self) -> NDArray[np.float64]:
        """Return the epochs between two pulls of each edge, (E,): 1 for the strongest, more for weaker."""
        most = np.float64(self.weight.max(initial=0))
        return np.divide(most, self.weight, dtype=np.float64)


class MembershipStrengths:
    """The membership strengths of every token's neighbours: directed weights, kept from frame to frame."""

    def __init__(self) -> None:
        self._ids = np.empty((0, 0), dtype=np.int32)
        """Each token's neighbours, ascending, shape (V, k)."""
        self._weights = np.empty((0, 0), dtype=np.float32)
        """Their strengths."""

    @property
    def has_graph(self) -> bool:
        return self._weights.size > 0

    def exchange_rows(self, stay: NDArray[np.int64], size: int) -> None:
        """Keep the strengths of the rows `stay`, which come first among `size` now; the others are to be marked as changed."""
        new_ids = np.zeros(len(self._ids), dtype=np.int32)
        new_ids[stay] = np.arange(len(stay))
        arrived = np.zeros((size - len(stay), *self._ids.shape[1:]), dtype=np.int32)
        self._ids = np.concatenate((new_ids[self._ids[stay]], arrived))
        self._weights = np.concatenate((self._weights[stay], arrived.astype(np.float32)))

    def build_graph(
        self,
        ids: NDArray[np.int32],
        distances: NDArray[np.float32],
        horizon: int,
        changed: NDArray[np.bool_] | None = None,
    ) -> FuzzyGraph:
        """Build the graph of neighbours, shape (V, k), without the token itself, distances ascending.
        `horizon`: epochs of a fit; edges too weak to fire within them are dropped, as in umap-learn.
        `changed`: shape (V,), the tokens that differ from the last call; None for all.
        """
        if self._weights.shape != ids.shape:
            self._ids, changed = np.empty(ids.shape, dtype=np.int32), None
            self._weights = np.empty(ids.shape, dtype=np.float32)
        rows = np.arange(len(ids)) if changed is None else np.flatnonzero(changed)

        def strengthen(part: NDArray[np.int64]) -> None:
            strengths, some = membership_strengths(distances[part]), ids[part]
            order = np.argsort(some, axis=1)
            self._ids[part] = np.take_along_axis(some, order, axis=1)
            self._weights[part] = np.take_along_axis(strengths, order, axis=1)

        run_each(strengthen, [rows[slice(*part)] for part in split_range(len(rows), of=len(ids))])
        return FuzzyGraph(len(ids), *_union(self._ids, self._weights, horizon))


@numba.njit(cache=True, nogil=True)
def membership_strengths(distances: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute membership strengths, (N, k), by Newton's method instead of umap-learn's bisection (McInnes et
    al. 2018).

    Sigma is such that the strengths of a token's neighbours sum to log2 of their number, the token itself
    counted (to a tolerance of 1e-5, as in umap-learn). The sum is a convex, falling function of 1 / sigma.
    Jensen's inequality gives a starting point, from the mean distance, at which the sum is too large; from
    there Newton's steps never overshoot.
    """
    count, k = distances.shape
    weights = np.ones((count, k), dtype=np.float32)
    beyond = np.empty(k)
    target = np.log2(k + 1.0)
    for row in range(count):
        rho = 0.0
        total = 0.0
        for column in range(k):
            distance = distances[row, column]
            total += distance
            if rho == 0 and distance > 0:
                rho = distance
            beyond[column] = distance
        if rho == 0:
            continue
        level = 0
        mean = 0.0
        for column in range(k):
            beyond[column] = max(0.0, beyond[column] - rho)
            mean += beyond[column] / k
            level += beyond[column] == 0
        sigma = 0.0
        if level < target and k > target:
            inverse = np.log(k / target) / mean
            for _ in range(64):
                reached, slope = 0.0, 0.0
                for column in range(k):
                    strength = np.exp(-beyond[column] * inverse)
                    reached += strength
                    slope += beyond[column] * strength
                if reached - target < 1e-5:
                    break
                inverse += (reached - target) / slope
            sigma = 1 / inverse
        sigma = max(sigma, 1e-3 * total / (k + 1))
        for column in range(k):
            weights[row, column] = np.exp(-beyond[column] / sigma)
    return weights


def _union(
    own_ids: NDArray[np.int32], own: NDArray[np.float32], horizon: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Compute a + b - ab of the strengths in both directions, as heads, tails and weights. `own_ids`: the
    neighbours of each token, ascending, (V, k). Edges too weak to fire (`horizon`) are dropped.
    """
    parts = run_each(lambda part: _join_rows(own_ids, own, *part), split_range(len(own_ids)))
    least = np.float32(np.float32(max(strongest for *_, strongest in parts)) / np.float32(horizon))
    kept = run_each(lambda part: _drop_weak(*part[:3], least), parts)
    if len(kept) == 1:
        return kept[0]
    head, tail, weight = run_each(np.concatenate, list(zip(*kept, strict=True)))
    return head, tail, weight


@numba.njit(cache=True, nogil=True)
def _join_rows(
    own_ids: NDArray[np.int32], own: NDArray[np.float32], first: int, end: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32], float]:
    """Return the edges of the rows from `first` to `end`, weak ones too, as heads, tails and weights, and the largest weight."""
    size, k = own_ids.shape
    begins = np.zeros(end - first + 1, dtype=np.int64)
    for row in range(size):
        for column in range(k):
            token = own_ids[row, column]
            if first <= token < end:
                begins[token - first + 1] += 1
    for row in range(end - first):
        begins[row + 1] += begins[row]
    # For each token, the tokens that have it as a neighbour, by id.
    filled = begins[:-1].copy()
    their_ids = np.empty(begins[-1], dtype=np.int32)
    theirs = np.empty(begins[-1], dtype=np.float32)
    for row in range(size):
        for column in range(k):
            token = own_ids[row, column]
            if first <= token < end:
                index = filled[token - first]
                their_ids[index] = row
                theirs[index] = own[row, column]
                filled[token - first] += 1
    most = (end - first) * k + begins[-1]
    head = np.empty(most, dtype=np.int32)
    tail = np.empty(most, dtype=np.int32)
    weight = np.empty(most, dtype=np.float32)
    edges = 0
    strongest = np.float32(0)
    for row in range(first, end):
        i, j, stop = 0, begins[row - first], begins[row - first + 1]
        while i < k or j < stop:
            a, b = np.float32(0), np.float32(0)
            mine = own_ids[row, i] if i < k else size
            other = their_ids[j] if j < stop else size
            token = min(mine, other)
            if mine == token:
                a = own[row, i]
                i += 1
            if other == token:
                b = theirs[j]
                j += 1
            both = a + b - a * b
            head[edges], tail[edges], weight[edges] = row, token, both
            edges += 1
            strongest = max(strongest, both)
    return head[:edges], tail[:edges], weight[:edges], float(strongest)


@numba.njit(cache=True, nogil=True)
def _drop_weak(
    head: NDArray[np.int32], tail: NDArray[np.int32], weight: NDArray[np.float32], least: np.float32
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Drop edges below a weight in place. Returns views, because copies of millions of edges would take as long as the sum."""
    count = 0
    for edge in range(len(head)):
        if weight[edge] > 0 and weight[edge] >= least:
            head[count], tail[count], weight[count] = head[edge], tail[edge], weight[edge]
            count += 1
    return head[:count], tail[:count], weight[:count]
