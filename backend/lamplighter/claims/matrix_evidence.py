"""The evidence from kept matrices: the embedding at chosen steps, and the output matrix.

A word's row in the input matrix is trained on what follows the word, its row in the output matrix on what precedes
it. So nearness in the first should agree with shared followers, and nearness in the second with shared predecessors.
In a shuffled text the two are the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.claims.evidence import (
    UNREADABLE,
    CityFigures,
    EarlierShare,
    MatrixFigures,
    RelationFigures,
    TurnedFigures,
)
from lamplighter.claims.intervals import Spread, mean_of, spread_of
from lamplighter.claims.matrix_figures import (
    MAX_NUMBERS,
    NEIGHBOURS,
    measure_matrix,
    measure_relations,
    read_turn,
    sample_rows,
    turn_space,
)
from lamplighter.claims.questions_asked import choose_words
from lamplighter.geometry.difference import find_shared_rows
from lamplighter.geometry.neighbours import count_shared, nearest_cosine_by_chance, nearest_rows
from lamplighter.geometry.pairs import mutual_ranks
from lamplighter.runfolder.errors import NoOutputMatrixError, NoSnapshotError
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.output_matrix import read_output_matrix_at
from lamplighter.runfolder.reading.snapshot import Snapshot
from lamplighter.runfolder.run_folder import RunFolder
from living_map.rows import unit_rows

Matrix = NDArray[np.float32]

MAX_TOKENS = 4_000_000
"""Maximum tokens of the text that are read, from its beginning."""
_MIN_SEEN = 5
"""Minimum occurrences of a word in the text before its neighbours there count."""
_BLOCK = 1 << 19
_MAX_COLUMNS = 4_096
"""Maximum frequent words counted as neighbours in the text."""


def sample_nearest(vectors: Matrix) -> NDArray[np.int32]:
    """Return the ten nearest of some words, (N, 10), the same words for matrices of one shape."""
    return nearest_rows(vectors, sample_rows(*vectors.shape), NEIGHBOURS)[0]


def share_of_same(one: NDArray[np.int32], other: NDArray[np.int32]) -> Spread:
    """Return the share of nearest (from `sample_nearest`) in common, with its standard error over words."""
    return mean_of((count_shared(one, other) / one.shape[1]).tolist())


def share_across_seeds(
    one: Matrix, words: Sequence[str], other: Matrix, other_words: Sequence[str]
) -> Spread | None:
    """Return `share_of_same` for two runs, over the words they share; None if these are too few. `one`,
    `other`: shape (V, D) each; V and D may differ. `words`, `other_words`: the word of each row.
    """
    here, there = find_shared_rows(words, other_words).T
    if len(here) <= NEIGHBOURS:
        return None
    return share_of_same(sample_nearest(one[here]), sample_nearest(other[there]))


def compare_with_text(
    inputs: Matrix, outputs: Matrix, text: NDArray[np.uint32]
) -> tuple[Spread, Spread] | None:
    """Return how much each matrix, (V, D), agrees better with its own side of a word in the text; None for
    too few words.

    Each value is a mean over a sample of the words, with its standard error: the correlation of a word's
    cosines with the similarity of followers, minus that with the similarity of predecessors (cosines of
    square-rooted counts). Its expectation is 0 for a shuffled text and for an untrained matrix.
    """
    size = len(inputs)
    ids = np.asarray(text[:MAX_TOKENS])
    counts = np.bincount(ids, minlength=size)
    rows = sample_rows(*inputs.shape)
    rows = rows[counts[rows] >= _MIN_SEEN]
    if len(rows) < NEIGHBOURS:
        return None
    column = np.full(size, -1, dtype=np.int64)
    frequent = np.argsort(-counts, kind="stable")[:_MAX_COLUMNS]
    column[frequent] = np.arange(len(frequent))
    followers = _alike(_count_beside(ids[:-1], ids[1:], rows, column, size))
    preceders = _alike(_count_beside(ids[1:], ids[:-1], rows, column, size))
    near, near_out = (units @ units.T for units in (unit_rows(inputs[rows]), unit_rows(outputs[rows])))
    follows = _correlate_rows(near, followers) - _correlate_rows(near, preceders)
    precedes = _correlate_rows(near_out, preceders) - _correlate_rows(near_out, followers)
    known = np.isfinite(follows) & np.isfinite(precedes)
    if known.sum() < NEIGHBOURS:
        return None
    return mean_of(follows[known].tolist()), mean_of(precedes[known].tolist())


def _count_beside(
    words: NDArray[np.uint32],
    beside: NDArray[np.uint32],
    rows: NDArray[np.int64],
    column: NDArray[np.int64],
    size: int,
) -> Matrix:
    """Return how often each frequent word stands beside each chosen one, shape (R, C)."""
    place = np.full(size, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    width = int(column.max()) + 1
    counts = np.zeros(len(rows) * width, dtype=np.int64)
    # In blocks, so that a long text takes no more memory than a short one.
    for start in range(0, len(words), _BLOCK):
        row, at = place[words[start : start + _BLOCK]], column[beside[start : start + _BLOCK]]
        known = (row >= 0) & (at >= 0)
        counts += np.bincount(row[known] * width + at[known], minlength=len(counts))
    return counts.reshape(len(rows), width).astype(np.float32)


def _alike(counts: Matrix) -> Matrix:
    """Return cosines of square-rooted counts, (R, R). The root keeps a few frequent words from dominating."""
    units = unit_rows(np.sqrt(counts))
    return units @ units.T


def _correlate_rows(one: Matrix, other: Matrix) -> NDArray[np.float64]:
    """Return the correlations of rows of (R, R) matrices without diagonals; NaN for a constant one."""
    others = ~np.eye(len(one), dtype=bool)
    a, b = (each[others].reshape(len(each), -1).astype(np.float64) for each in (one, other))
    a, b = (each - each.mean(axis=1, keepdims=True) for each in (a, b))
    scale = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return np.divide((a * b).sum(axis=1), scale, out=np.full(len(a), np.nan), where=scale > 0)


FIXED_STEPS = (1, 10, 100, 1_000)
"""Steps at which movements are compared with row lengths, besides the newest and the middle of
the training.
"""
LAGS = (100, 250, 500)
"""Lags, in steps, at which a matrix is compared with itself; none exceeds half of the training."""
_NEAR = 0.1
"""Maximum relative age of a kept matrix that still gives a step its row lengths."""
_RANDOM_SPACES = 20


def read_matrix_evidence(run: RunFolder, cache: LruCache, key: tuple[Any, ...], step: int) -> dict[str, Any]:
    """Return the fields of `Evidence` that come from matrices kept up to `step`. `cache` keeps results for
    finished steps under `key`, which identifies the run and its lineage.
    """
    with MatrixHistory(run) as history:
        return _MatrixReading(run, cache, key, step, history).fields()


def compare_with_seed(run: RunFolder, other: RunFolder, cache: LruCache, step: int) -> Spread | None:
    """Return the share of a word's ten nearest that are the same in a run of another seed. It is that of the
    input matrix at `step` or the last kept step before it; None if the runs share too few words, or a matrix
    is too large.
    """

    def make() -> Spread | None:
        tables: list[Any] = []
        for each in (run, other):
            # The other run may have a different number of words.
            if len(each.vocabulary) * each.recipe.model.dim > MAX_NUMBERS:
                return None
            with MatrixHistory(each) as history:
                kept = history.exact_steps()
                tables += [history.snapshot(int(kept[kept <= step][-1])).vectors, each.vocabulary.tokens]
        return share_across_seeds(*tables)

    key = (str(run.path), run.created, str(other.path), other.created, "seeds", step)
    return cache.get_or_make(key, make)


class _MatrixReading:
    """Reads one run's matrices."""

    def __init__(
        self, run: RunFolder, cache: LruCache, key: tuple[Any, ...], step: int, history: MatrixHistory
    ) -> None:
        self._run, self._cache, self._key, self._step, self._history = run, cache, key, step, history
        self._vocabulary = run.vocabulary
        self._kept = history.exact_steps()
        self._newest: Snapshot | None = None

    def fields(self) -> dict[str, Any]:
        get, key, step = self._cache.get_or_make, self._key, self._step
        first = get((*key, "first"), lambda: self._measure(0))
        newest = get((*key, "newest", step), lambda: self._measure(step))
        unclassed = first is not None and first.order is None
        return {
            "first": first,
            "newest": newest,
            "first_turn": get((*key, "turn"), lambda: read_turn(self._history, 1)),
            "turned": get((*key, "turned", step), self._turn),
            "row_lengths": get((*key, "lengths", step), self._measure_lengths),
            "shifted": get((*key, "shifted", step), self._measure_shift),
            "relations": get((*key, "relations", step), self._measure_relations),
            "chance_cosine": self._measure_chance() if unclassed else None,
            **self._compare_cities(),
        }

    def _snapshot(self, step: int) -> Snapshot | None:
        """Return the newest kept matrix at or before a step, or else the first one."""
        if not len(self._kept):
            return None
        before = int(np.searchsorted(self._kept, step, side="right")) - 1
        kept = int(self._kept[max(0, before)])
        # Five figures are of the newest one.
        if self._newest is not None and self._newest.step == kept:
            return self._newest
        found = self._history.snapshot(kept)
        if found.vectors.shape != (len(self._vocabulary), self._run.recipe.model.dim):
            return None
        if step == self._step:
            self._newest = found
        return found

    def _measure(self, step: int) -> MatrixFigures | None:
        found = self._snapshot(step)
        if found is None:
            return None
        before = None
        with suppress(NoSnapshotError):
            before = self._history.snapshot(found.step - 1).vectors if found.step > 0 else None
        return measure_matrix(found.vectors, found.step, self._vocabulary, before)

    def _turn(self) -> TurnedFigures | None:
        found = self._snapshot(self._step)
        return None if found is None else turn_space(found.vectors, found.step)

    def _measure_lengths(self) -> dict[int, float]:
        lengths: dict[int, float] = {}
        for step in sorted({*FIXED_STEPS, self._step // 2, self._step}):
            found = self._snapshot(step) if 0 < step <= self._step else None
            if found is None or not step - max(1, _NEAR * step) <= found.step <= step:
                continue
            length = float(np.median(np.linalg.norm(found.vectors, axis=1)))
            if np.isfinite(length) and length > 0:
                lengths[step] = length
        return lengths

    def _measure_shift(self) -> float | None:
        start, now = self._snapshot(0), self._snapshot(self._step)
        if start is None or now is None or start.step > 0:
            return None
        moved = np.subtract(now.vectors, start.vectors, dtype=np.float64)
        distance = math.sqrt(np.square(moved).sum() / len(moved))
        return distance if math.isfinite(distance) else None

    def _measure_relations(self) -> dict[str, RelationFigures]:
        found = self._snapshot(self._step)
        if found is None:
            return {}
        return measure_relations(found.vectors, self._vocabulary.relations, self._vocabulary.class_of())

    def _measure_chance(self) -> Spread:
        size, dim = len(self._vocabulary), self._run.recipe.model.dim
        return spread_of([nearest_cosine_by_chance(size, dim, seed) for seed in range(_RANDOM_SPACES)])

    def _compare_cities(self) -> dict[str, Any]:
        """Return the figures of both matrices, or the code of what is missing."""
        word, partner = choose_words(self._vocabulary)
        if word is None or partner is None:
            return {}
        words = word, partner
        try:
            return {
                "cities": self._cache.get_or_make(
                    (*self._key, "cities", self._step), lambda: self._measure_cities(words)
                )
            }
        except NoOutputMatrixError:
            return {"no_output_matrix": "output_matrix_not_kept"}
        except UNREADABLE:
            # A damaged model state must not affect the other evidence.
            return {"no_output_matrix": "output_matrix_unreadable"}

    def _measure_cities(self, words: tuple[str, str]) -> CityFigures | None:
        output = self._output(self._step)
        found = self._snapshot(output.step)
        if found is None or not np.isfinite(output.vectors).all() or not np.isfinite(found.vectors).all():
            return None
        one, other = (self._vocabulary.tokens.index(each) for each in words)
        nearest, nearest_out = sample_nearest(found.vectors), sample_nearest(output.vectors)
        about = None
        with suppress(*UNREADABLE):
            about = compare_with_text(found.vectors, output.vectors, self._run.token_ids)
        return CityFigures(
            output.step,
            words,
            mutual_ranks(found.vectors, one, other),
            mutual_ranks(output.vectors, one, other),
            share_of_same(nearest, nearest_out),
            (
                *self._compare_with_earlier(found.step, nearest),
                *self._compare_output(output.step, nearest_out),
            ),
            None if about is None else about[0],
            None if about is None else about[1],
        )

    def _output(self, step: int) -> Snapshot:
        return read_output_matrix_at(self._run, self._history.steps, step)

    def _compare_with_earlier(self, step: int, nearest: NDArray[np.int32]) -> list[EarlierShare]:
        shares: dict[int, float] = {}
        for lag in LAGS:
            earlier = self._snapshot(step - lag) if 2 * lag <= step else None
            if earlier is not None and lag <= step - earlier.step <= 1.5 * lag:
                shares[step - earlier.step] = share_of_same(nearest, sample_nearest(earlier.vectors)).mean
        return [EarlierShare("input", steps, share) for steps, share in shares.items()]

    def _compare_output(self, step: int, nearest: NDArray[np.int32]) -> list[EarlierShare]:
        """Return the same for the output matrix, at the last kept state at least `LAGS[-1]` steps earlier."""
        with suppress(*UNREADABLE):
            earlier = self._output(max(step // 2, step - LAGS[-1]))
            if earlier.step < step:
                share = share_of_same(nearest, sample_nearest(earlier.vectors)).mean
                return [EarlierShare("output", step - earlier.step, share)]
        return []
