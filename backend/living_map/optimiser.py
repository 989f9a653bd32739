"""UMAP's optimiser on a graph that changes: the counters of each edge's next pull are carried from graph to graph.

Of many rows, the two halves of the map are optimised at the same time. Within an epoch a half sees the other where it was
when the epoch began; the edges between the halves pull at the end of it. Few edges do, since the map has brought neighbours
together. Both halves exist on one core, too, so that the result is the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from living_map import two_threads
from living_map.fuzzy_graph import FuzzyGraph
from living_map.sgd_kernel import AttractionCurve, carry_counters, run_epoch
from living_map.two_threads import run_each, split_range
from living_map.waking import run_listed_epoch, split_edges

_SEEDS = 1 << 10, 1 << 30
"""Range of the random generators' first states; at zero they would stay."""
_SPLIT_FOR = 10
"""Epochs for which the halves of a map stay: of a first fit, a fifth of the edges lies between them at the start."""


class EdgeOptimiser:
    """The graph, its counters, and a random generator for each row."""

    def __init__(self, curve: AttractionCurve, negatives: int, random: np.random.Generator) -> None:
        """Start without a graph. `negatives`: pushes per pull."""
        self.change_forces(curve, negatives)
        self.graph: FuzzyGraph | None = None
        self.epoch = 0
        """The number of the last epoch."""
        self.period = np.empty(0)
        """Epochs between two pulls of each edge, shape (E,)."""
        self.due = np.empty(0)
        """The epoch at which each edge pulls next, shape (E,)."""
        self._random = random
        self._negative_due = np.empty(0)
        self._generators = np.empty((0, 3), dtype=np.int64)

    def change_forces(self, curve: AttractionCurve, negatives: int) -> None:
        self._curve, self._negatives = curve, float(negatives)

    def seed_rows(self, size: int) -> None:
        self._generators = self._random.integers(*_SEEDS, size=(size, 3))

    def exchange_rows(self, stay: NDArray[np.int64], size: int) -> None:
        """Keep the rows `stay`, which come first among `size` now, and their edges."""
        assert self.graph is not None
        self.graph, kept = self.graph.exchange_rows(stay, size)
        self.due, self._negative_due = self.due[kept], self._negative_due[kept]
        fresh = self._random.integers(*_SEEDS, size=(size - len(stay), 3))
        self._generators = np.concatenate((self._generators[stay], fresh))

    def take_graph(self, graph: FuzzyGraph) -> tuple[NDArray[np.float32], float]:
        """Switch to another graph, carrying over the counters of edges that both have. Return by row, (V,),
        the share of the weight of its edges, over both graphs, that they do not have in common, from 0
        (equal, or no earlier graph) to 1; and the same share over all edges.
        """
        old, old_due, old_negative_due, epoch = self.graph, self.due, self._negative_due, self.epoch
        self.graph, count = graph, len(graph.head)
        self.period, self.due, self._negative_due = period, due, negative_due = np.empty((3, count))
        unrest = np.zeros(graph.size, dtype=np.float32)
        kept, larger = np.zeros((2, graph.size))
        most = graph.weight.max(initial=0)

        def take(job: tuple[tuple[int, int], np.random.Generator]) -> None:
            part, random = job
            now = graph.edges_of(*part)
            np.divide(np.float64(most), graph.weight[now], out=period[now], dtype=np.float64)
            random.random(out=due[now])
            due[now] *= period[now]
            due[now] += epoch
            # An edge that has not pulled yet has not pushed either.
            np.subtract(due[now], period[now], out=negative_due[now])
            if old is None:
                return
            was = old.edges_of(*part)
            carry_counters(
                old.head[was], old.tail[was], old.weight[was], old_due[was], old_negative_due[was],
                graph.head[now], graph.tail[now], graph.weight[now], due[now], negative_due[now],
                old.weight.max(initial=0), most, epoch, kept, larger,
            )  # fmt: skip

        parts = split_range(graph.size)
        randoms = [self._random] if len(parts) == 1 else self._random.spawn(len(parts))
        run_each(take, list(zip(parts, randoms, strict=True)))
        if not larger.any():
            return unrest, 0.0
        np.divide(larger - kept, larger, out=unrest, where=larger > 0, casting="same_kind")
        return unrest, float(1 - kept.sum() / larger.sum())

    def run(
        self,
        coordinates: NDArray[np.float32],
        learning_rates: list[float],
        rates: NDArray[np.float32] | None = None,
        mobility: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Return positions, (V, 2), after an epoch at each of the learning rates. `rates`: shape (V,),
        factors on a row's rate, 0 for rows that sleep, which do not move; None: all are awake. `mobility`:
        the share of its steps that each row takes, shape (V, 1); None for whole steps.
        """
        coordinates = np.array(coordinates, dtype=np.float32, order="C")
        if rates is None and len(coordinates) >= two_threads.MIN_ROWS:
            rates = np.ones(len(coordinates), dtype=np.float32)
        edges = None
        for number, rate in enumerate(learning_rates):
            before = coordinates
            if rates is None:
                self.epoch += 1
                coordinates = self._run_all(coordinates, rate)
            else:
                if edges is None or number % _SPLIT_FOR == 0:
                    edges = self._split_edges(
                        coordinates, rates, min(_SPLIT_FOR, len(learning_rates) - number)
                    )
                self.epoch += 1
                coordinates = self._run_listed(coordinates, edges, rate, rates)
            if mobility is not None:
                coordinates -= before
                coordinates *= mobility
                coordinates += before
        return coordinates

    def _split_edges(
        self, coordinates: NDArray[np.float32], rates: NDArray[np.float32], epochs: int
    ) -> tuple[NDArray[np.bool_], list[NDArray[np.int32]]]:
        """Return which rows are in the second half of the map, and what `split_edges` says of the next epochs."""
        second = np.zeros(len(coordinates), dtype=np.bool_)
        if len(coordinates) >= two_threads.MIN_ROWS:
            along = coordinates[:, np.ptp(coordinates, axis=0).argmax()]
            second = along > np.median(along)
        graph = self.graph
        assert graph is not None
        found = split_edges(
            graph.head, graph.tail, rates, second, self.due, self._negative_due, self.epoch, epochs
        )
        return second, list(found)

    def _run_listed(
        self,
        coordinates: NDArray[np.float32],
        edges: tuple[NDArray[np.bool_], list[NDArray[np.int32]]],
        rate: float,
        rates: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Return positions after an epoch of the edges that `_split_edges` returned, each row at `rate` times its own rate."""
        second, (*halves, between) = edges
        graph, curve = self.graph, self._curve
        assert graph is not None

        def run_half(half: tuple[NDArray[np.int32], NDArray[np.float32]]) -> NDArray[np.float32]:
            run_listed_epoch(
                *half, graph.head, graph.tail, self.period, self.due, self._negative_due,
                self._negatives, self.epoch, rates, rate,
                curve.a, curve.b, curve.exponents, curve.mantissas, self._generators,
            )  # fmt: skip
            return half[1]

        if not second.any():
            # A small map is one half, and has no edges between.
            return run_half((halves[0], coordinates.copy()))
        one, other = run_each(run_half, [(half, coordinates.copy()) for half in halves])
        return run_half((between, np.where(second[:, None], other, one)))

    def _run_all(self, coordinates: NDArray[np.float32], rate: float) -> NDArray[np.float32]:
        """Return positions after an epoch of all edges in their order."""
        graph, curve, reached = self.graph, self._curve, coordinates.copy()
        assert graph is not None
        run_epoch(
            reached, graph.head, graph.tail, self.period, self.due, self._negative_due,
            self._negatives, self.epoch, rate,
            curve.a, curve.b, curve.exponents, curve.mantissas, self._generators,
        )  # fmt: skip
        return reached
