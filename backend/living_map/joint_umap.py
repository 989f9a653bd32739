"""A joint layout of many steps of a run, in which unchanged tokens stay near their position through time.

The live map knows only the past. A finished run can be laid out with both past and future in view: every slice (a step)
has UMAP's own cost (McInnes, Healy and Melville 2018) and a spring from each token to itself in the slices before and
after, as in AlignedUMAP (Dadu et al. 2023, umap-learn) and in offline dynamic graph drawing ("linking", Brandes and
Mader 2011). The strength of a spring is the share of the token's neighbourhood common to both slices, so unchanged
tokens stay and the others are free to move.

The cost is minimised slice by slice, in sweeps through time: backward from the last slice, which has the
clearest structure and is fitted from scratch, then forward and backward again with a falling learning rate. A
sweep keeps one list of exact neighbours, updated for the rows that moved. Where most rows moved, as between checkpoints,
the neighbours of a slice are kept for the next sweep, as far as there is room. So memory holds one matrix, one graph,
the positions of all slices, and these neighbours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from living_map.fuzzy_graph import FuzzyGraph, MembershipStrengths
from living_map.nearest_neighbours import KnownNeighbours, NeighbourIndex
from living_map.principal_components import add_noise, principal_start
from living_map.procrustes import align_to_previous
from living_map.settings import MapSettings
from living_map.sgd_kernel import AttractionCurve, carry_counters, run_epoch

LEARNING_RATES = (0.5, 0.3, 0.2, 0.1)
"""Learning rate with which each sweep starts a slice: backward, forward, backward, forward."""
_ROUNDS = 5
"""Number of spring pulls in one visit to a slice."""
_EPOCHS = 6
"""Optimiser epochs between two pulls of the springs."""
_PULL = 0.9
"""Share of the way to its adjacent positions that an unchanged token moves in one pull."""
_KEPT_BYTES = 640 << 20
"""Maximum bytes of neighbours kept for the next sweep."""
_FINAL_PULLS = 2
"""Pulls of the springs at the end, without the optimiser."""


class JointLayout:
    """The positions of all slices. For one thread only."""

    def __init__(
        self, slices: int, size: int, settings: MapSettings, start: NDArray[np.float32] | None = None
    ) -> None:
        """Start with empty positions for T `slices` of `size` tokens. `start`: finite initial positions for
        the first visited slice, shape (V, 2); None: its linear view.
        """
        self._start = start
        self.coordinates = np.zeros((slices, size, 2), dtype=np.float32)
        """Shape (T, V, 2)."""
        self._overlap = np.zeros((slices - 1, size), dtype=np.float32)
        """By pair of slices and token: the share of the token's neighbourhood common to both."""
        self._settings = settings
        self._curve = AttractionCurve.fit(settings.spread, settings.min_dist)
        self._random = np.random.default_rng(settings.seed)
        self._generators = self._random.integers(1 << 10, 1 << 30, size=(size, 3))
        self._neighbours = NeighbourIndex(settings.neighbours - 1)
        self._kept: dict[int, KnownNeighbours] = {}
        self._strengths = MembershipStrengths()
        self._last: tuple[int, FuzzyGraph] | None = None

    def refine_slice(self, index: int, vectors: NDArray[np.float32], sweep: int) -> NDArray[np.float32]:
        """Refine the positions of slice `index`, whose embedding is (V, D), finite. Returns them, (V, 2).
        Every sweep must visit all slices: even sweeps from the last to the first, odd sweeps the other way.
        """
        size = len(vectors)
        if size <= 2:
            self.coordinates[index] = np.array([[0, 0], [1, 0]], dtype=np.float32)[:size]
            return self.coordinates[index]
        update = self._neighbours.update(vectors, self._kept.get(index))
        if update.ranked == size and (len(self._kept) + 1) * 8 * self._neighbours.ids.size <= _KEPT_BYTES:
            self._kept[index] = self._neighbours.known()
        graph = self._strengths.build_graph(
            self._neighbours.ids, self._neighbours.distances, self._settings.horizon, update.changed
        )
        if sweep == 0:
            self._initialise_slice(index, graph, vectors)
        self._last = index, graph
        coordinates = np.array(self.coordinates[index], order="C")
        for number in range(_ROUNDS):
            fast, slow = (LEARNING_RATES[sweep] * (1 - n / _ROUNDS) for n in (number, number + 1))
            self._optimise(coordinates, graph, _EPOCHS, fast, slow)
            if sweep:
                self._pull(coordinates, index)
        if sweep == 0 and index + 1 < len(self.coordinates):
            coordinates = align_to_previous(coordinates, self.coordinates[index + 1])
        self.coordinates[index] = coordinates
        return self.coordinates[index]

    def known_neighbours(self, index: int, k: int) -> KnownNeighbours | None:
        """Return the `k` nearest neighbours in slice `index`, if they were kept and are as many."""
        known = self._kept.get(index)
        return known if known is not None and known.ids.shape[1] == min(k, len(known.ids) - 1) else None

    def _initialise_slice(self, index: int, graph: FuzzyGraph, vectors: NDArray[np.float32]) -> None:
        """Fit the last slice from scratch, start every other at the one after it."""
        if self._last is None:
            if self._start is None:
                coordinates = principal_start(vectors, self._random)
            else:
                # It has the size of a map already; if shrunk, its clusters would pass through one another.
                coordinates = add_noise(np.array(self._start, dtype=np.float32), self._random)
            self._optimise(coordinates, graph, self._settings.horizon, 1.0, 0.0)
            self.coordinates[index] = coordinates
            return
        self.coordinates[index] = self.coordinates[index + 1]
        self._overlap[index] = _shared_edge_weight(graph, self._last[1])

    def remove_jitter(self) -> None:
        """Remove the optimiser's remaining jitter: let the springs alone pull, over all slices."""
        for _ in range(_FINAL_PULLS):
            for index in range(len(self.coordinates)):
                self._pull(self.coordinates[index], index)

    def _pull(self, coordinates: NDArray[np.float32], index: int) -> None:
        """Pull the positions of a slice, (V, 2), towards those of the adjacent slices, in place."""
        beside = [(self._overlap[index - 1], self.coordinates[index - 1])] if index > 0 else []
        beside += (
            [(self._overlap[index], self.coordinates[index + 1])] if index + 1 < len(self.coordinates) else []
        )
        total = np.maximum(sum(steady for steady, _ in beside), np.float32(1e-9))
        target = sum((steady / total)[:, None] * there for steady, there in beside)
        coordinates += (_PULL * np.maximum.reduce([steady for steady, _ in beside]))[:, None] * (
            target - coordinates
        )

    def _optimise(
        self, coordinates: NDArray[np.float32], graph: FuzzyGraph, epochs: int, rate: float, until: float
    ) -> None:
        """Optimise `coordinates` in place, with a learning rate that falls from `rate` to `until`."""
        period = graph.period
        # Edges start at a random point of their period, so that each pulls as often as its weight demands.
        due = self._random.random(len(period)) * period
        negative_due = due - period
        curve = self._curve
        for n in range(epochs):
            run_epoch(
                coordinates, graph.head, graph.tail, period, due, negative_due, float(self._settings.negatives), n + 1,
                rate + (until - rate) * n / epochs, curve.a, curve.b, curve.exponents, curve.mantissas,
                self._generators,
            )  # fmt: skip


def _shared_edge_weight(one: FuzzyGraph, other: FuzzyGraph) -> NDArray[np.float32]:
    """Return, by token, the share of its edge weight common to two graphs, shape (V,)."""
    nothing = np.zeros((2, len(other.head)))
    counters = np.zeros((2, len(one.head)))
    kept, larger = np.zeros((2, one.size))
    carry_counters(
        other.head, other.tail, other.weight, nothing[0], nothing[1],
        one.head, one.tail, one.weight, counters[0], counters[1],
        other.weight.max(initial=0), one.weight.max(initial=0), 0, kept, larger,
    )  # fmt: skip
    return (kept / np.maximum(larger, 1e-12)).astype(np.float32)
