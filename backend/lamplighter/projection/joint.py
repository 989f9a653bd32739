"""One layout of many steps of a run at once, in which equal tokens stay near their place through time.

The live map knows only what came before. A finished run can be laid out looking both ways: every slice (a step)
has UMAP's own cost (McInnes, Healy and Melville 2018) and a spring to the same tokens in the slices before and
after it, as in AlignedUMAP (Dadu et al. 2023, umap-learn) and in the offline drawing of dynamic graphs ("linking",
Brandes and Mader 2011). A spring is as strong as the share of a token's neighbourhood that is
the same in both slices, so what did not change stays and what did is free to go.

Minimised slice by slice, in sweeps through time: backward from the last one, which has the most shape and is
fitted cold, then forward and backward again with a falling learning rate. One sweep keeps one list of exact
neighbours, refreshed for what moved, so memory is a matrix, a graph, and the places of all slices.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.projection.alignment import settle
from lamplighter.projection.graph import Graph, Strengths
from lamplighter.projection.kernel import Curve, carry, run_epoch
from lamplighter.projection.linear import principal_view
from lamplighter.projection.method import MapSettings
from lamplighter.projection.neighbours import Neighbours
from lamplighter.projection.umap_parts import find_ab_params

RATES = (0.5, 0.3, 0.2, 0.1)
"""The learning rate that each sweep begins a slice with: backward, forward, backward, forward."""
_ROUNDS = 5
"""Times that the springs pull in one visit to a slice."""
_EPOCHS = 6
"""Between two pulls of the springs."""
_PULL = 0.9
"""Share of the way to its places before and after that a token with the same neighbourhood goes in one pull."""
_CALMING = 2
"""Pulls of the springs at the end, without the optimiser."""


class JointLayout:
    """The places of all slices. One thread only."""

    def __init__(self, slices: int, size: int, settings: MapSettings) -> None:
        """Begin with nothing: `slices` of them, of `size` tokens."""
        self.places = np.zeros((slices, size, 2), dtype=np.float32)
        """Shape (T, V, 2)."""
        self._steady = np.zeros((slices - 1, size), dtype=np.float32)
        """By pair of slices and token: the share of its neighbourhood that is the same in both."""
        self._settings = settings
        self._curve = Curve(*map(float, find_ab_params(settings.spread, settings.min_dist)))
        self._random = np.random.default_rng(settings.seed)
        self._generators = self._random.integers(1 << 10, 1 << 30, size=(size, 3))
        self._neighbours = Neighbours(settings.neighbours - 1)
        self._strengths = Strengths()
        self._last: tuple[int, Graph] | None = None

    def visit(self, at: int, vectors: NDArray[np.float32], sweep: int) -> NDArray[np.float32]:
        """Better the places of slice `at`, whose space is `vectors`, shape (V, D), finite; shape (V, 2).

        Every sweep visits all slices: those with an even number from the last to the first, the others back.
        """
        size = len(vectors)
        if size <= 2:
            self.places[at] = np.array([[0, 0], [1, 0]], dtype=np.float32)[:size]
            return self.places[at]
        found = self._neighbours.update(vectors)
        graph = self._strengths.graph(
            self._neighbours.ids, self._neighbours.cosines, self._settings.horizon, found.changed
        )
        if sweep == 0:
            self._begin(at, graph, vectors)
        self._last = at, graph
        places = np.array(self.places[at], order="C")
        for number in range(_ROUNDS):
            fast, slow = (RATES[sweep] * (1 - n / _ROUNDS) for n in (number, number + 1))
            self._optimise(places, graph, _EPOCHS, fast, slow)
            if sweep:
                self._pull(places, at)
        if sweep == 0 and at + 1 < len(self.places):
            places = settle(places, self.places[at + 1])
        self.places[at] = places
        return self.places[at]

    def _begin(self, at: int, graph: Graph, vectors: NDArray[np.float32]) -> None:
        """The first sweep: the last slice is fitted cold, every other begins where the one after it lies."""
        if self._last is None:
            places = principal_view(vectors, 0, 0).places(vectors)
            largest = np.abs(places).max()
            places *= 5 / largest if largest > 0 else 1
            places += self._random.normal(scale=0.01, size=places.shape).astype(np.float32)
            self._optimise(places, graph, self._settings.horizon, 1.0, 0.0)
            self.places[at] = places
            return
        self.places[at] = self.places[at + 1]
        self._steady[at] = _shared(graph, self._last[1])

    def calm(self) -> None:
        """Let the springs alone pull, some times over all slices: what is left of the optimiser's jitter goes."""
        for _ in range(_CALMING):
            for at in range(len(self.places)):
                self._pull(self.places[at], at)

    def _pull(self, places: NDArray[np.float32], at: int) -> None:
        """Pull the places of slice `at`, shape (V, 2), changed, towards those of the slices beside it."""
        beside = [(self._steady[at - 1], self.places[at - 1])] if at > 0 else []
        beside += [(self._steady[at], self.places[at + 1])] if at + 1 < len(self.places) else []
        total = np.maximum(sum(steady for steady, _ in beside), np.float32(1e-9))
        target = sum((steady / total)[:, None] * there for steady, there in beside)
        places += (_PULL * np.maximum.reduce([steady for steady, _ in beside]))[:, None] * (target - places)

    def _optimise(
        self, places: NDArray[np.float32], graph: Graph, epochs: int, rate: float, until: float
    ) -> None:
        """Some epochs, the learning rate falling from `rate` to `until`; `places` is changed."""
        period = graph.period
        # At a random point of its period every edge has its turn, in as many visits as its weight says.
        due = self._random.random(len(period)) * period
        negative_due = due - period
        curve = self._curve
        for n in range(epochs):
            run_epoch(
                places, graph.head, graph.tail, period, due, negative_due, float(self._settings.negatives), n + 1,
                rate + (until - rate) * n / epochs, curve.a, curve.b, curve.exponents, curve.mantissas,
                self._generators,
            )  # fmt: skip


def _shared(one: Graph, other: Graph) -> NDArray[np.float32]:
    """By token, the share of the weight of its edges that two graphs have in common, shape (V,)."""
    nothing = np.zeros((2, len(other.head)))
    counters = np.zeros((2, len(one.head)))
    kept, larger = np.zeros((2, one.size))
    carry(
        other.head, other.tail, other.weight, nothing[0], nothing[1],
        one.head, one.tail, one.weight, counters[0], counters[1], 0, kept, larger,
    )  # fmt: skip
    return (kept / np.maximum(larger, 1e-12)).astype(np.float32)
