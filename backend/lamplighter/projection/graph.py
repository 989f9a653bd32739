"""The fuzzy neighbourhood graph of UMAP, as plain arrays in a fixed order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lamplighter.geometry.neighbours import all_nearest
from lamplighter.projection.umap_parts import membership_strengths, smooth_knn_dist


@dataclass(frozen=True)
class Graph:
    """Weighted edges, each in both directions, sorted by (head, tail)."""

    size: int
    """Tokens, V."""
    head: NDArray[np.int32]
    """Shape (E,)."""
    tail: NDArray[np.int32]
    """Shape (E,)."""
    weight: NDArray[np.float32]
    """Shape (E,), above 0, at most 1."""

    @property
    def keys(self) -> NDArray[np.int64]:
        """One number an edge, ascending. Shape (E,)."""
        return self.head.astype(np.int64) * self.size + self.tail


def neighbour_graph(vectors: NDArray[np.float32], neighbours: int, horizon: int) -> Graph:
    """The graph of a space, by exact cosine neighbours.

    Args:
        vectors: shape (V, D), V at least 2, finite.
        neighbours: of each token, itself included as umap-learn counts; lowered to V.
        horizon: epochs after which an edge so weak as never to fire within them is left out, as
            umap-learn does.
    """
    ids, cosines = all_nearest(vectors, neighbours - 1)
    return graph_of_neighbours(ids, cosines, horizon)


def graph_of_neighbours(ids: NDArray[np.int32], cosines: NDArray[np.float32], horizon: int) -> Graph:
    """The graph of given neighbours, shapes (V, k), the token itself not among them."""
    size, k = ids.shape
    # umap-learn wants each token as its own first neighbour.
    with_self = np.concatenate((np.arange(size, dtype=np.int32)[:, None], ids), axis=1)
    distances = np.concatenate((np.zeros((size, 1), dtype=np.float32), 1 - cosines), axis=1)
    np.maximum(distances, 0, out=distances)
    sigmas, rhos = smooth_knn_dist(distances, float(k + 1))
    heads, tails, weights, _ = membership_strengths(with_self, distances, sigmas, rhos)
    # The union of what the two ends of an edge think of it: a + b - ab.
    own = csr_array((weights, (heads, tails)), shape=(size, size))
    other = own.T.tocsr()
    edges = (own + other - own * other).tocoo()
    strong = (edges.data > 0) & (edges.data >= edges.data.max(initial=0) / horizon)
    head, tail, weight = edges.row[strong], edges.col[strong], edges.data[strong]
    order = np.lexsort((tail, head))
    return Graph(
        size,
        head[order].astype(np.int32),
        tail[order].astype(np.int32),
        weight[order].astype(np.float32),
    )
