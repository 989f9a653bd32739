"""What fuzzy graphs are made of, and their edges, comparable from graph to graph."""

from __future__ import annotations

import numpy as np

from lamplighter.geometry.neighbours import all_nearest
from living_map.fuzzy_graph import FuzzyGraph


def edge_keys(graph: FuzzyGraph) -> np.ndarray:
    """Return one number per edge, ascending, shape (E,)."""
    return graph.head.astype(np.int64) * graph.size + graph.tail


def all_distances(vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the `k` nearest of every row by cosine, and the distances to them, shapes (V, k)."""
    ids, cosines = all_nearest(vectors, k)
    return ids, np.maximum(1 - cosines, 0)
