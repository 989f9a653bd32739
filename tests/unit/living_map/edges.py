"""The edges of a fuzzy graph, comparable from graph to graph."""

from __future__ import annotations

import numpy as np

from living_map.fuzzy_graph import FuzzyGraph


def edge_keys(graph: FuzzyGraph) -> np.ndarray:
    """Return one number per edge, ascending, shape (E,)."""
    return graph.head.astype(np.int64) * graph.size + graph.tail
