"""Exact nearest neighbours by cosine, in plain numpy, and how near the nearest is by chance.

Memory is bounded: queries are processed in blocks, so that no more than `BLOCK_BYTES` of similarities exist at once. A
row of zeros, or with a value that is not finite, has no direction: its cosine with every other row is 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lamplighter.wire.row_source import RowSource, row_blocks
from living_map.rows import BLOCK_BYTES, unit_rows

_FEW_QUERIES = 32
"""Maximum rows whose cosines with all others are held at once, where the others are read from a file."""
_QUERIES = 512
"""Maximum rows that are multiplied by a block of others at once; with fewer, the others are read from memory more often."""


_SQUARES = 1e-30, 1e30
"""Squared lengths of rows between which float32 is exact enough without scaling."""


def cosines_with(vectors: RowSource, targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosines of the rows of a matrix, (V, D), with some unit rows, (K, D); shape (K, V)."""
    found = np.empty((len(targets), len(vectors)), dtype=np.float32)
    for some, rows in row_blocks(vectors):
        squares = np.einsum("ij,ij->i", rows, rows)
        plain = (squares > _SQUARES[0]) & (squares < _SQUARES[1])
        with np.errstate(all="ignore"):
            found[:, some] = targets @ rows.T / np.sqrt(squares)
        if not plain.all():
            # Huge, tiny and empty rows, and those that are not finite, are scaled with more care.
            found[:, some.start + np.flatnonzero(~plain)] = targets @ unit_rows(rows[~plain]).T
    return np.clip(found, -1, 1, out=found)


def row_lengths(vectors: RowSource) -> NDArray[np.float64]:
    """Return the Euclidean length of each row of a matrix, (V, D); shape (V,)."""
    return np.concatenate(
        [np.linalg.norm(rows.astype(np.float64), axis=1) for _, rows in row_blocks(vectors)]
    )


def finite_rows(vectors: RowSource) -> NDArray[np.bool_]:
    """Return which rows of a matrix, (V, D), hold finite numbers only; shape (V,)."""
    return np.concatenate([np.isfinite(rows).all(axis=1) for _, rows in row_blocks(vectors)])


def row_digests(vectors: RowSource) -> NDArray[np.uint64]:
    """Return a number for each row, (V, D), that differs where any bit does (or one time in four billion).
    For matrices of which a copy to compare with would take too much memory. Shape (V,).
    """
    factors = np.random.default_rng(0).integers(1 << 31, size=vectors.shape[1], dtype=np.uint32) * 2 + 1
    digests = np.empty(len(vectors), dtype=np.uint64)
    for some, rows in row_blocks(vectors):
        digests[some] = (rows.view(np.uint32) * factors).sum(axis=1, dtype=np.uint64)
    return digests


def nearest_among(
    vectors: NDArray[np.float32], query_ids: NDArray[np.integer], units: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the `k` nearest of some unit rows, (L, D), to the rows `query_ids`, which are not among them. Rows
    of `units` and cosines, each of shape (Q, k), k at most L: nearest first, equal cosines by row.
    """
    rows = np.empty((len(query_ids), k), dtype=np.int64)
    cosines = np.empty((len(query_ids), k), dtype=np.float32)
    for start in range(0, len(query_ids), _QUERIES):
        some = slice(start, start + _QUERIES)
        rows[some], cosines[some] = _most_similar(unit_rows(vectors[query_ids[some]]), units, k)
    return rows, cosines


def nearest_rows(
    vectors: RowSource,
    query_ids: NDArray[np.integer],
    k: int,
    on_progress: Callable[[float], object] = lambda _: None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Find the `k` nearest rows of the rows `query_ids`, which may repeat, by cosine.

    Ids and cosines, each of shape (Q, min(k, V - 1)): nearest first, equal cosines by id, without the row
    itself. `on_progress` is called with the share done; what it raises ends the search. It raises IndexError
    for a query that is no row.
    """
    size = len(vectors)
    query_ids = np.asarray(query_ids, dtype=np.int64)
    if len(query_ids) and not 0 <= query_ids.min() <= query_ids.max() < size:
        raise IndexError(f"query ids must be between 0 and {size - 1}")
    k = max(0, min(k, size - 1))
    ids = np.empty((len(query_ids), k), dtype=np.int32)
    cosines = np.empty((len(query_ids), k), dtype=np.float32)
    if not isinstance(vectors, np.ndarray):
        for start in range(0, len(query_ids) if k else 0, _FEW_QUERIES):
            some = slice(start, start + _FEW_QUERIES)
            similar = cosines_with(vectors, unit_rows(vectors[query_ids[some]]))
            similar[np.arange(len(similar)), query_ids[some]] = -np.inf
            ids[some] = _largest(similar, k)
            cosines[some] = np.take_along_axis(similar, ids[some].astype(np.int64), axis=1)
            on_progress(min(1, some.stop / len(query_ids)))
        return ids, cosines
    units = unit_rows(vectors)
    for start in range(0, len(query_ids) if k else 0, _QUERIES):
        some = slice(start, start + _QUERIES)
        queries = query_ids[some]
        ids[some], cosines[some] = _most_similar(units[queries], units, k, queries)
        on_progress(min(1, some.stop / len(query_ids)))
    return ids, cosines


def all_nearest(vectors: NDArray[np.float32], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Find the `k` nearest rows of every row; see `nearest_rows`. Shapes (V, min(k, V - 1))."""
    return nearest_rows(vectors, np.arange(len(vectors)), k)


def count_shared(one: NDArray[np.integer], other: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return how many ids each row of one id matrix, (N, k), has in common with that of another; shape (N,)."""
    return (one[:, :, None] == other[:, None, :]).any(axis=2).sum(axis=1)


def _most_similar(
    rows: NDArray[np.float32], units: NDArray[np.float32], k: int, own: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the `k` unit rows, (V, D), most similar to each of some others, (Q, D), and the cosines. Most
    similar first, equal ones by row. `own`: a row of `units` that each of `rows` leaves out, shape (Q,).
    """
    ids, cosines = np.empty((len(rows), 0), dtype=np.int64), np.empty((len(rows), 0), dtype=np.float32)
    width = max(1, BLOCK_BYTES // (4 * len(rows)))
    for start in range(0, len(units), width):
        similar = rows @ units[start : start + width].T
        if own is not None:
            here = np.flatnonzero((own >= start) & (own < start + width))
            similar[here, own[here] - start] = -np.inf
        columns = _largest(similar, min(k, similar.shape[1]))
        ids = np.concatenate((ids, columns + start), axis=1)
        cosines = np.concatenate((cosines, np.take_along_axis(similar, columns, axis=1)), axis=1)
        best = _sort_largest(cosines, min(k, cosines.shape[1]))
        ids, cosines = np.take_along_axis(ids, best, axis=1), np.take_along_axis(cosines, best, axis=1)
    # Rounding can put the product of two unit rows slightly outside.
    return ids, np.clip(cosines, -1, 1, out=cosines)


def _largest(values: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the columns of the `k` largest values of each row, largest first, equal values by column."""
    rows, columns = values.shape
    groups = int(math.sqrt(columns / max(1, k)))
    width = columns // max(1, groups)
    if width <= 2 * k:
        return _sort_largest(values, k)
    # Group g has the columns g, g + width, g + 2 width, ... The k largest values lie in the k groups with the largest
    # maxima, which take one fast pass, or in the few columns that are in no group.
    maxima = values[:, :width].copy()
    for start in range(width, groups * width, width):
        np.maximum(maxima, values[:, start : start + width], out=maxima)
    best = np.sort(np.argpartition(maxima, width - k, axis=1)[:, width - k :], axis=1)
    edge = np.take_along_axis(maxima, best, axis=1).min(axis=1, keepdims=True)
    inside = (np.arange(0, groups * width, width)[:, None] + best[:, None, :]).reshape(rows, -1)
    rest = np.broadcast_to(np.arange(groups * width, columns), (rows, columns - groups * width))
    candidates = np.concatenate((inside, rest), axis=1)
    found = np.take_along_axis(values, candidates, axis=1)
    top = np.take_along_axis(candidates, _sort_largest(found, k), axis=1)
    # Equal maxima leave open which groups to take.
    for row in np.flatnonzero((maxima >= edge).sum(axis=1) > k):
        top[row] = _sort_largest(values[row : row + 1], k)
    return top


def _sort_largest(values: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return what `_largest` returns, at the cost of a partition of all values."""
    columns = values.shape[1]
    top = np.argpartition(values, columns - k, axis=1)[:, columns - k :] if k < columns else None
    if top is None:
        top = np.broadcast_to(np.arange(columns), values.shape)
    else:
        # If equal values straddle the edge, the partition has kept arbitrary ones: take the first instead.
        edge = np.take_along_axis(values, top, axis=1).min(axis=1, keepdims=True)
        for row in np.flatnonzero((values >= edge).sum(axis=1) > k):
            above = np.flatnonzero(values[row] > edge[row])
            level = np.flatnonzero(values[row] == edge[row])
            top[row] = np.concatenate((above, level[: k - len(above)]))
    top = np.sort(top, axis=1)
    order = np.argsort(-np.take_along_axis(values, top, axis=1), axis=1, kind="stable")
    return np.take_along_axis(top, order, axis=1)


MAX_QUERIES = 1_000
"""Maximum rows whose nearest neighbour among all rows is found; a fixed random sample of larger matrices."""
_SEED = 0


def nearest_cosine(vectors: NDArray[np.float32]) -> float:
    """Compute the mean cosine of (a sample of) rows with their nearest other; NaN for fewer than two."""
    if len(vectors) < 2:
        return float("nan")
    units = unit_rows(vectors)
    queries = np.arange(len(units))
    if len(queries) > MAX_QUERIES:
        queries = np.random.default_rng(_SEED).choice(len(units), MAX_QUERIES, replace=False)
    total = 0.0
    block = max(1, BLOCK_BYTES // (4 * len(units)))
    for start in range(0, len(queries), block):
        rows = queries[start : start + block]
        cosines = units[rows] @ units.T
        cosines[np.arange(len(rows)), rows] = -np.inf
        total += float(cosines.max(axis=1).sum(dtype=np.float64))
    return float(np.clip(total / len(queries), -1, 1))


@lru_cache(maxsize=64)
def nearest_cosine_by_chance(size: int, dim: int, seed: int = _SEED) -> float:
    """Compute the `nearest_cosine` of `size` random directions: that of random rows of any lengths."""
    return nearest_cosine(np.random.default_rng(seed).standard_normal((size, dim), dtype=np.float32))


def random_cosine_deviation(dim: int) -> float:
    """Return the standard deviation of the cosine of two random directions in `dim` dimensions; its mean is 0."""
    return float(dim**-0.5)
