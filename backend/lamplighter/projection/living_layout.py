"""One UMAP layout that stays alive while the space under it moves.

Each frame: exact neighbours and their fuzzy graph, then a few epochs of UMAP's optimiser (McInnes, Healy
and Melville 2018) on the places of the last frame, then a rigid motion back onto them. What makes that
calm, where refitting jumps:

- the counters that say when each edge pulls next are carried from frame to frame, so that in a few
  epochs a frame the weak edges get their turn too; a new edge starts at a random point of its period;
- the places are never rescaled;
- the learning rate falls to nothing within each frame, so that what a viewer gets is not the jitter of the
  last pulls (measured: as true to the space, a quarter less restless);
- the learning rate follows how much the graph changed since the last frame: a space at rest gives, after a
  short settling, a map at rest.
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

_COLD = 0.003
"""Learning rates below this move nothing that could be seen: the map rests."""


class LivingLayout:
    """The layout and all it carries from frame to frame. One thread only."""

    def __init__(
        self, settings: MapSettings | None = None, places: NDArray[np.float32] | None = None
    ) -> None:
        """Start from nothing, or from the places of an earlier process, shape (V, 2)."""
        self.settings = settings = settings or MapSettings()
        self._places = places
        self.alpha = 0.1
        """The learning rate the last warm frame began with."""
        self._curve = _curve(settings)
        self._random = np.random.default_rng(settings.seed)
        self._neighbours = Neighbours(settings.neighbours - 1)
        self._strengths = Strengths()
        self._graph: Graph | None = None
        self._period = np.empty(0)
        self._epoch = 0
        self._due = np.empty(0)
        self._negative_due = np.empty(0)
        self._generators = np.empty((0, 3), dtype=np.int64)

    @property
    def places(self) -> NDArray[np.float32] | None:
        """Shape (V, 2), or None before the first frame."""
        return self._places

    @property
    def restless(self) -> bool:
        """Whether another frame of the same space would still move the map."""
        return self._places is None or self.alpha >= _COLD

    def remember(self, vectors: NDArray[np.float32]) -> None:
        """Take in the space that the places it was started with were made for, shape (V, D)."""
        if len(vectors) > 2:
            self._take(vectors)

    def frame(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The next frame of the map.

        Args:
            vectors: shape (V, D), D at least 2, finite; V the same every time.

        Returns:
            Places, shape (V, 2).
        """
        size = len(vectors)
        if size <= 2:
            self._places = np.array([[0, 0], [1, 0]], dtype=np.float32)[:size]
            self.alpha = 0.0
            return self._places
        if len(self._generators) != size:
            # The kernel's generator stays at zero if it is ever all zeros; these numbers are far from it.
            self._generators = self._random.integers(1 << 10, 1 << 30, size=(size, 3))
        change = self._take(vectors)
        if self._places is None:
            self._places = self._start(vectors)
            self._optimise(self.settings.horizon, 1.0)
            self.alpha = 0.1
        else:
            wanted = min(self.settings.fastest, self.settings.gain * change)
            self.alpha = max(wanted, self.settings.cooling * self.alpha)
            if self.alpha >= _COLD:
                before = self._places
                self._optimise(self.settings.warm_epochs, self.alpha)
                self._places = settle(self._places, before)
        return self._places

    def change(self, settings: MapSettings) -> None:
        """Draw by other settings from the next frame on: the map flows to its new shape from where it is."""
        if settings.neighbours != self.settings.neighbours:
            self._neighbours = Neighbours(settings.neighbours - 1)
        self.settings = settings
        self._curve = _curve(settings)
        self.alpha = settings.fastest

    def _start(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The linear picture, ten units wide as in umap-learn, shaken so that no two tokens coincide."""
        places = principal_view(vectors, 0, 0).places(vectors)
        places -= places.mean(axis=0)
        largest = np.abs(places).max()
        places *= 5 / largest if largest > 0 else 1
        return places + self._random.normal(scale=0.01, size=places.shape).astype(np.float32)

    def _take(self, vectors: NDArray[np.float32]) -> float:
        """Go over to the graph of a new space, carrying the counters of edges that are in both.

        Returns:
            How much of the weight of both graphs is not shared, from 0 (equal, or nothing to compare with)
            to 1.
        """
        found = self._neighbours.update(vectors)
        old = self._graph
        if old is not None and not found.changed.any():
            return 0.0
        nearest = self._neighbours
        graph = self._strengths.graph(nearest.ids, nearest.cosines, self.settings.horizon, found.changed)
        period = graph.period
        phase = self._random.random(len(period))
        due = self._epoch + phase * period
        # An edge that has not pulled yet has not pushed either.
        negative_due = due - period
        kept, larger = np.zeros(graph.size), np.zeros(graph.size)
        if old is not None:
            carry(
                old.head, old.tail, old.weight, self._due, self._negative_due,
                graph.head, graph.tail, graph.weight, due, negative_due,
                self._epoch, kept, larger,
            )  # fmt: skip
        self._graph, self._period, self._due, self._negative_due = graph, period, due, negative_due
        return float(1 - kept.sum() / larger.sum()) if old is not None and larger.any() else 0.0

    def _optimise(self, epochs: int, alpha: float) -> None:
        """Some epochs, the learning rate falling from `alpha` to nothing, as in umap-learn's full fit."""
        graph, places, curve = self._graph, self._places, self._curve
        assert graph is not None
        assert places is not None
        places = np.array(places, dtype=np.float32, order="C")
        for n in range(epochs):
            self._epoch += 1
            run_epoch(
                places,
                graph.head,
                graph.tail,
                self._period,
                self._due,
                self._negative_due,
                float(self.settings.negatives),
                self._epoch,
                alpha * (1 - n / epochs),
                curve.a,
                curve.b,
                curve.exponents,
                curve.mantissas,
                self._generators,
            )
        self._places = places


def _curve(settings: MapSettings) -> Curve:
    a, b = find_ab_params(settings.spread, settings.min_dist)
    return Curve(float(a), float(b))
