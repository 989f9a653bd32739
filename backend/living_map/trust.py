"""Trust in a map, estimated on a sample of tokens, each ranked against all others.

Trustworthiness (Venna and Kaski 2001) asks whether neighbours on the map are neighbours in the embedding, and
weighs an intruder by how far away it really is. Recall asks which of the neighbours in the embedding are
still neighbours on the map. In full they cost V^2. A fixed random sample of tokens, each ranked against the
whole vocabulary, gives an unbiased estimate and its error.

Each token's own trust is exact and cheap (`trust_by_token`): given its K nearest in the embedding, an intruder beyond K
counts as far away, so its rank is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from living_map.rows import Metric, Rows, as_queries, comparable_rows, differing_rows, split_rows
from living_map.two_threads import run_each, split_range

SAMPLE = 500
NEIGHBOURS = 10
MAX_COPIED = 64 << 20
"""Numbers of an embedding up to which a copy is kept to compare the next one with, and the comparable rows: 256 MB each."""
_SIMILARITY_BYTES = 256 << 20
"""Maximum bytes of the similarities of the sample with all tokens."""


@dataclass(frozen=True)
class Trust:
    """An estimate from the sample."""

    trust: float
    """Trustworthiness, 1 at best; NaN for fewer than three tokens."""
    error: float
    """Standard error of `trust`: 0 when every token is in the sample."""
    recall: float
    """Share of the nearest neighbours in the embedding that are also nearest on the map."""
    token_ids: NDArray[np.int64]
    """Shape (S,), the sample."""
    by_token: NDArray[np.float64]
    """Shape (S,), the trustworthiness of each token's neighbourhood; `trust` is their mean."""

    def of_kinds(self, landmarks: NDArray[np.int64]) -> dict[str, float]:
        """Return the mean trust of the landmarks in the sample, and of the tokens that are placed."""
        laid_out = np.isin(self.token_ids, landmarks)
        kinds = {"laid_out": self.by_token[laid_out], "placed": self.by_token[~laid_out]}
        return {"tokens": float(len(landmarks))} | {
            kind: round(float(values.mean()), 4) for kind, values in kinds.items() if len(values)
        }


class TrustProbe:
    """A fixed sample of tokens, so that a change of the estimate reflects a change of the map."""

    def __init__(
        self,
        size: int,
        *,
        sample: int = SAMPLE,
        neighbours: int = NEIGHBOURS,
        seed: int = 0,
        metric: Metric = "cosine",
    ) -> None:
        """Draw `sample` of `size` tokens (all, if there are no more; fewer, if their similarities took too much memory).

        `neighbours` is lowered for small vocabularies: the measure needs fewer than half the tokens.
        """
        count = min(sample, size, max(1, _SIMILARITY_BYTES // (4 * size)))
        self.size = size
        self._metric: Metric = metric
        self._centre: NDArray[np.float32] | float = 0.0
        self.token_ids = np.sort(np.random.default_rng(seed).choice(size, count, replace=False))
        self.neighbours = min(neighbours, (size - 1) // 2)
        self._vectors: NDArray[np.float32] | None = None
        self._units = np.empty((0, 0), dtype=np.float32)
        self._similar: NDArray[np.float32] | None = None

    def set_space(self, vectors: Rows) -> None:
        """Set the embedding, shape (V, D), that the next estimates are made against. Rows that moved since
        the last call are found by comparison; only their similarities are recomputed. Of a large embedding no
        copy is kept to compare with, and all are.
        """
        if self.size * vectors.shape[1] > MAX_COPIED:
            self._set_large_space(vectors)
            return
        vectors = np.asarray(vectors[:])
        last, ids = self._vectors, self.token_ids
        moved = np.arange(self.size) if last is None else differing_rows(vectors, last)
        if last is None or self._similar is None or 2 * len(moved) > self.size:
            self._vectors = np.array(vectors, dtype=np.float32, order="C")
            self._centre = self._vectors.mean(axis=0)
            self._units = self._comparable(vectors)
            self._similar = self._queries(ids) @ self._units.T
        elif len(moved):
            last[moved] = vectors[moved]
            self._units[moved] = self._comparable(last[moved])
            self._compare_moved(moved, self._similar)
        self._similar[np.arange(len(ids)), ids] = -np.inf

    def _compare_moved(self, moved: NDArray[np.int64], similar: NDArray[np.float32]) -> None:
        """Compute the similarities, shape (S, V), of the sample with the rows that moved, and those of the latter among it."""
        queries, others = self._queries(self.token_ids), self._units[moved].T
        among = np.flatnonzero(np.isin(self.token_ids, moved))
        sampled = self._queries(self.token_ids[among])

        def of_sample(part: tuple[int, int]) -> None:
            similar[slice(*part), moved] = queries[slice(*part)] @ others

        def with_all(part: tuple[int, int]) -> None:
            similar[among, slice(*part)] = sampled @ self._units[slice(*part)].T

        run_each(of_sample, split_range(len(queries), of=self.size))
        run_each(with_all, split_range(self.size))

    def _set_large_space(self, vectors: Rows) -> None:
        ids = self.token_ids
        some = vectors[ids]
        self._centre = some.mean(axis=0)
        sample = as_queries(self._comparable(some), self._metric)
        if self._similar is None:
            self._similar = np.empty((len(ids), self.size), dtype=np.float32)
        for some in split_rows(*vectors.shape):
            self._similar[:, some] = sample @ self._comparable(vectors[some]).T
        self._similar[np.arange(len(ids)), ids] = -np.inf

    def _comparable(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        return comparable_rows(vectors, self._metric, self._centre)

    def _queries(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        return as_queries(self._units[ids], self._metric)

    def estimate(
        self, coordinates: NDArray[np.float32], map_nearest: NDArray[np.int64] | None = None
    ) -> Trust:
        """Estimate how well a map, (V, 2), shows the current embedding. `map_nearest`: the result of
        `nearest_on_map` with the same number of neighbours, if known.
        """
        k, ids = self.neighbours, self.token_ids
        if k < 1 or self._similar is None:
            nothing = np.full(len(ids), np.nan)
            return Trust(float("nan"), float("nan"), float("nan"), ids, nothing)
        near = _nearest_on_map(coordinates, ids, k) if map_nearest is None else map_nearest[ids]
        ranks = self._ranks(self._similar, near)
        by_token = 1 - 2 / (k * (2 * self.size - 3 * k - 1)) * np.maximum(ranks - k, 0).sum(axis=1)
        # The sample is drawn without replacement, so the error vanishes as it approaches the whole.
        left_out = 1 - len(ids) / self.size
        error = float(by_token.std(ddof=1) / np.sqrt(len(ids)) * np.sqrt(left_out)) if len(ids) > 1 else 0.0
        return Trust(float(by_token.mean()), error, float((ranks <= k).mean()), ids, by_token)

    @staticmethod
    def _ranks(similar: NDArray[np.float32], neighbours: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return each map neighbour's rank in the embedding, from 1; equal cosines share the best."""
        ranks = np.empty(neighbours.shape, dtype=np.int64)
        own = np.take_along_axis(similar, neighbours, axis=1)
        for row, least in enumerate(own.min(axis=1)):
            # Only what is nearer than the farthest of them counts: in a good map, few.
            nearer = similar[row][similar[row] > least]
            ranks[row] = 1 + np.count_nonzero(nearer > own[row][:, None], axis=1)
        return ranks


def nearest_on_map(
    coordinates: NDArray[np.float32], k: int, among: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Return the `k` tokens nearest on the map, (V, 2), to each token, without itself, shape (V, k). `k`: at
    most V - 1; below 1 the result is empty. `among`: the tokens to choose from, (L,); None for all.
    """
    if k < 1:
        return np.empty((len(coordinates), 0), dtype=np.int64)
    return _nearest_on_map(coordinates, np.arange(len(coordinates)), k, among)


def trust_by_token(map_nearest: NDArray[np.int64], nearest: NDArray[np.int32]) -> NDArray[np.uint8] | None:
    """Compute how well each token's neighbourhood on the map matches that in the embedding, shape (V,).

    For a token i with the `k` nearest on the map U(i), and r(i, j) the rank of j among its nearest in the
    embedding, trust(i) = 1 - sum over j in U(i) of min(max(r(i, j) - k, 0), K - k) / (k (K - k)), of 255.

    That is its term of the trustworthiness (Venna and Kaski 2001), with two differences: an intruder from
    beyond the `K` nearest counts as one just beyond, however far it is; and the term is scaled so that 0
    means that all of U(i) come from beyond. So it does not depend on the size of the vocabulary, and needs no
    ranks beyond K.

    `map_nearest`: shape (V, k), of `nearest_on_map`; `nearest`: shape (V, K), those in the embedding, nearest
    first, without the token itself. None where K is not larger than k, or k is below 1.
    """
    (size, k), reach = map_nearest.shape, nearest.shape[1]
    if k < 1 or reach <= k:
        return None
    penalty = np.zeros(size, dtype=np.int64)
    for column in range(k):
        same = nearest == map_nearest[:, column : column + 1]
        rank = np.where(same.any(axis=1), same.argmax(axis=1) + 1, reach)
        penalty += np.clip(rank - k, 0, None)
    return np.rint(255 * (1 - penalty / (k * (reach - k)))).astype(np.uint8)


def _nearest_on_map(
    coordinates: NDArray[np.float32],
    ids: NDArray[np.int64],
    k: int,
    among: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Return the `k` tokens nearest on the map, without the token itself. Shape (len(ids), k)."""
    # A tree that is not balanced takes half as long to build, which is most of the work, and finds the same.
    placed = coordinates if among is None else coordinates[among]
    tree = KDTree(placed, balanced_tree=False, compact_nodes=False)
    neighbours = np.asarray(tree.query(coordinates[ids], k=k + 1)[1], dtype=np.int64)
    if among is not None:
        neighbours = among[neighbours]
    # Where tokens coincide, the token itself need not come first, nor appear at all.
    own = neighbours == ids[:, None]
    own[~own.any(axis=1), -1] = True
    return neighbours[~own].reshape(len(ids), k)
