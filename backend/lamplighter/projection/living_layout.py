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
from lamplighter.projection.graph import Graph, neighbour_graph
from lamplighter.projection.kernel import run_epoch
from lamplighter.projection.linear import principal_view
from lamplighter.projection.method import MapSettings
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
        self._graph: Graph | None = None
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
            self._take(neighbour_graph(vectors, self.settings.neighbours, self.settings.horizon))

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
        change = self._take(neighbour_graph(vectors, self.settings.neighbours, self.settings.horizon))
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

    def _take(self, graph: Graph) -> float:
        """Go over to a new graph, carrying the counters of edges that are in both.

        Returns:
            How much of the weight of both graphs is not shared, from 0 (equal, or nothing to compare with)
            to 1.
        """
        old, period = self._graph, _periods(graph)
        phase = self._random.random(len(period))
        # An edge that has not pulled yet has not pushed either.
        behind = phase - 1
        change = 0.0
        if old is not None:
            old_period = _periods(old)
            at = np.searchsorted(old.keys, graph.keys)
            at[at == len(old.keys)] = 0
            kept = old.keys[at] == graph.keys if len(old.keys) else np.zeros(len(at), dtype=bool)
            source = at[kept]
            phase[kept] = (self._due[source] - self._epoch) / old_period[source]
            behind[kept] = (self._negative_due[source] - self._epoch) / old_period[source]
            shared = float(np.minimum(old.weight[source], graph.weight[kept]).sum())
            larger = float(old.weight.sum() + graph.weight.sum()) - shared
            change = 1 - shared / larger if larger > 0 else 0.0
        self._due = self._epoch + phase * period
        self._negative_due = self._epoch + behind * period
        self._graph = graph
        return change

    def _optimise(self, epochs: int, alpha: float) -> None:
        """Some epochs, the learning rate falling from `alpha` to nothing, as in umap-learn's full fit."""
        graph, places = self._graph, self._places
        assert graph is not None
        assert places is not None
        places = np.array(places, dtype=np.float32, order="C")
        period = _periods(graph)
        for n in range(epochs):
            self._epoch += 1
            run_epoch(
                places,
                graph.head,
                graph.tail,
                period,
                self._due,
                self._negative_due,
                float(self.settings.negatives),
                self._epoch,
                alpha * (1 - n / epochs),
                *self._curve,
                self._generators,
            )
        self._places = places


def _curve(settings: MapSettings) -> tuple[float, float]:
    """UMAP's a and b for these settings."""
    a, b = find_ab_params(settings.spread, settings.min_dist)
    return float(a), float(b)


def _periods(graph: Graph) -> NDArray[np.float64]:
    """Epochs between two pulls of each edge: 1 for the strongest, more for the weaker."""
    return float(graph.weight.max(initial=0)) / graph.weight.astype(np.float64)
