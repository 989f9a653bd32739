"""The difference between the matrices of two runs, over the words that they share."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.reason import Reason
from lamplighter.geometry.blas_threads import one_blas_thread
from lamplighter.geometry.difference import (
    NEIGHBOURS,
    Distances,
    Neighbourhoods,
    choose_fitted,
    choose_words,
    compare_neighbourhoods,
    find_shared_rows,
    measure_chance,
    measure_distances,
    measure_sample,
)
from lamplighter.geometry.neighbours import count_shared, nearest_rows
from lamplighter.geometry.purity import Order, measure_order
from lamplighter.runfolder.errors import NotComparableError
from lamplighter.wire.vocabulary import Vocabulary
from living_map.rows import differing_rows

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

MAX_CLASSED = 6_000
"""Maximum words with a planted class whose order is measured."""
_MIN_SHARED = 3
_MIN_SAMPLE = 500
_KEPT_SAMPLE = 200
"""Words whose neighbours are found in an earlier matrix, about."""


class Matrix(NamedTuple):
    """The matrix of a run at a step, and its words."""

    vocabulary: Vocabulary
    step: int
    vectors: Floats
    """Shape (V, D)."""


@dataclass(frozen=True)
class Null:
    """The same measures with shuffled rows (`chance`), or between two steps of the run itself (`earlier`)."""

    kind: Literal["earlier", "chance"]
    step: int | None
    """The earlier step; None for chance."""
    words: int
    """The number of words whose distances were measured; of an earlier matrix the neighbours of about 200 of them."""
    raw: float
    """Median distance."""
    aligned: float | None
    kept: float
    """Mean number of neighbours kept; by formula for chance."""


@dataclass(frozen=True)
class RowsDifference:
    """The difference between two matrices, word by word. N words are shared."""

    shared: Ids
    """The row of each shared word in either matrix, ascending by the first; shape (N, 2)."""
    counts: Ids
    """Occurrences in the text of the first run, all 0 if unknown; shape (N,)."""
    equal: int
    """The number of words whose rows are equal in every bit."""
    distances: Distances | None
    """None if the widths differ."""
    lengths: Floats
    """Length of each row of the first matrix; shape (N,)."""
    other_lengths: Floats
    fitted: int
    """The number of words that the rotation was fitted on: the most frequent in that text in which they are rarer."""
    fitted_least: int | None
    """The smallest number of occurrences among them; None if unknown."""
    near: Neighbourhoods
    """Ids count the shared words, from 0 to N - 1."""
    nulls: tuple[Null, ...]
    order: tuple[Order | None, Order | None]
    """The order that each matrix has gained by its own planted classes; None without classes, or with too many words."""

    def raw(self) -> Floats:
        """Return the distance of each shared word, NaN where there is none; shape (N,)."""
        return self._nothing() if self.distances is None else self.distances.raw

    def aligned(self) -> Floats:
        """Return the same after the rotation."""
        found = self.distances and self.distances.aligned
        return self._nothing() if found is None else found

    def kept(self) -> Floats:
        """Return the number of neighbours kept of each shared word, NaN where it was not computed; shape (N,)."""
        kept = self._nothing()
        kept[self.near.words] = self.near.kept
        return kept

    def most_changed(
        self, by: Literal["aligned", "raw", "neighbours"], limit: int, least_count: int = 0
    ) -> Ids:
        """Return at most `limit` shared words that differ, most different first, equal words by the aligned
        distance. `least_count`: minimum occurrences in the text, if they are known.
        """
        lost = self.near.nearest.shape[1] - self.kept()
        change = {"aligned": self.aligned(), "raw": self.raw(), "neighbours": lost}[by]
        enough = self.counts >= least_count if self.counts.any() else True
        words = np.flatnonzero((change > 0) & enough)
        return words[np.lexsort((-self.aligned()[words], -change[words]))][:limit]

    def _nothing(self) -> Floats:
        return np.full(len(self.shared), np.nan, dtype=np.float32)


def measure_rows(
    one: Matrix,
    other: Matrix,
    earlier: Matrix | None = None,
    on_progress: Callable[[float], object] = lambda _: None,
) -> RowsDifference:
    """Measure the difference between two matrices, or raise NotComparableError for too few shared words.
    `earlier`: that of `one` at an earlier step, to judge the difference by. `on_progress` is called with the
    share done; what it raises ends the measurement.
    """
    shared = find_shared_rows(one.vocabulary.tokens, other.vocabulary.tokens)
    if len(shared) < _MIN_SHARED:
        raise NotComparableError(
            "these two runs have fewer than three words in common, so their words cannot be compared",
            Reason("no_common_words"),
        )
    here, there = (_take(matrix.vectors, rows) for matrix, rows in zip((one, other), shared.T, strict=True))
    counts = one.vocabulary.counts[shared[:, 0]]
    both = np.minimum(counts, other.vocabulary.counts[shared[:, 1]])
    dim = max(here.shape[1], there.shape[1])
    fitted = choose_fitted(both, dim)
    same_width = here.shape[1] == there.shape[1]
    words = choose_words(len(shared), dim)
    sample = np.unique(np.linspace(0, len(words) - 1, max(_MIN_SAMPLE, 2 * dim)).astype(np.int64))

    def measure_rest() -> tuple[Distances | None, list[Null], tuple[Order | None, Order | None]]:
        order = _measure_order(one), _measure_order(other)
        if not same_width:
            return None, [], order
        return (
            measure_distances(here, there, fitted),
            [_null_by_chance(here, there, fitted, words[sample])],
            order,
        )

    # Numpy works without the interpreter's lock, so threads of our own keep the cores busy: this one and two beside it.
    with one_blas_thread(), ThreadPoolExecutor(1) as beside:
        rest = beside.submit(measure_rest)
        near = compare_neighbourhoods(here, there, words, lambda share: on_progress(0.8 * share))
        distances, nulls, order = rest.result()
    on_progress(0.8)
    if earlier is not None:
        before = Matrix(one.vocabulary, earlier.step, _take(earlier.vectors, shared[:, 0]))
        nulls.insert(0, _null_of_time(here, before, fitted, words[sample], near.nearest[sample]))
    return RowsDifference(
        shared=shared,
        counts=counts,
        equal=len(shared) - len(differing_rows(here, there)) if same_width else 0,
        distances=distances,
        lengths=_measure_lengths(here),
        other_lengths=_measure_lengths(there),
        fitted=len(fitted),
        fitted_least=int(both[fitted].min()) if both.any() else None,
        near=near,
        nulls=tuple(nulls),
        order=order,
    )


def _measure_lengths(vectors: Floats) -> Floats:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.linalg.norm(vectors, axis=1)


def _take(vectors: Floats, rows: Ids) -> Floats:
    return vectors if np.array_equal(rows, np.arange(len(vectors))) else vectors[rows]


def _null_of_time(now: Floats, before: Matrix, fitted: Ids, sample: Ids, nearest: NDArray[np.int32]) -> Null:
    """Return the null of an earlier matrix of the same words. `nearest`: the neighbours now of the words of the sample."""
    distances = measure_sample(now, before.vectors, fitted, sample)
    some = slice(None, None, max(1, len(sample) // _KEPT_SAMPLE))
    kept = count_shared(nearest[some], nearest_rows(before.vectors, sample[some], NEIGHBOURS)[0])
    return Null("earlier", before.step, len(sample), *_medians(distances), float(kept.mean()))


def _null_by_chance(one: Floats, other: Floats, fitted: Ids, sample: Ids) -> Null:
    k = min(NEIGHBOURS, len(one) - 1)
    distances = measure_chance(one, other, fitted, sample)
    return Null("chance", None, len(sample), *_medians(distances), k * k / (len(one) - 1))


def _medians(distances: Distances) -> tuple[float, float | None]:
    return median(distances.raw), None if distances.aligned is None else median(distances.aligned)


def median(values: NDArray[np.floating]) -> float:
    """Return the median of the finite values; NaN if there is none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def _measure_order(matrix: Matrix) -> Order | None:
    class_of = matrix.vocabulary.class_of()
    if not 2 <= (class_of >= 0).sum() <= MAX_CLASSED or not np.isfinite(matrix.vectors).all():
        return None
    return measure_order(matrix.vectors, class_of)
