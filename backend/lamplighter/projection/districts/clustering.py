"""Clusters of the embedding: HDBSCAN on the graph of nearest neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 15
MIN_COHERENCE = 0.65
MIN_CLUSTER_SIZE = 8
"""Minimum members of a cluster; larger vocabularies need more (`min_cluster_size`)."""
_DENSITY = 5
"""Number of neighbours from which HDBSCAN estimates the density around a token (its `min_samples`)."""
_BRIDGE_DISTANCE = 4.0
"""A distance larger than any cosine distance, for the edges that join disconnected components of the graph."""
MIN_MEMBERS = 3


def min_cluster_size(size: int) -> int:
    """Return the minimum members of a cluster in a vocabulary of `size` tokens.

    It grows with the square root, so that large vocabularies have both more and larger districts.
    """
    return max(MIN_CLUSTER_SIZE, round(size**0.5 / 6))


def find_clusters(ids: NDArray[np.int32], cosines: NDArray[np.float32]) -> NDArray[np.int32]:
    """Cluster the embedding by its nearest-neighbour graph.

    Args:
        ids: shape (V, K), the nearest neighbours of every token, nearest first, without the token itself.
        cosines: shape (V, K), the cosines with them.

    Returns:
        Shape (V,): the number of each token's cluster, from 0, or -1 for a token in none.
    """
    size, k = ids.shape[0], min(ids.shape[1], NEIGHBOURS)
    least = min_cluster_size(size)
    if size < 2 * least or k < _DENSITY:
        return np.full(size, -1, dtype=np.int32)
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components
    from sklearn.cluster import HDBSCAN

    # A sparse matrix drops zeros, so duplicates get a tiny distance instead of losing their edge.
    distances = np.maximum(1.0 - cosines[:, :k].astype(np.float64), 1e-6)
    heads = np.repeat(np.arange(size), k)
    graph = csr_matrix((distances.ravel(), (heads, ids[:, :k].ravel())), shape=(size, size))
    graph = graph.maximum(graph.T)
    pieces, piece_of = connected_components(graph, directed=False)
    if pieces > 1:
        first = np.unique(piece_of, return_index=True)[1]
        bridges = csr_matrix(
            (np.full(pieces - 1, _BRIDGE_DISTANCE), (first[:-1], first[1:])), shape=(size, size)
        )
        graph = graph.maximum(bridges).maximum(bridges.T)
    clustering = HDBSCAN(
        min_cluster_size=least,
        min_samples=_DENSITY,
        metric="precomputed",
        cluster_selection_method="leaf",
        copy=False,  # pyright: ignore[reportArgumentType]
    ).fit(graph.tocsr())
    return np.asarray(clustering.labels_, dtype=np.int32)
