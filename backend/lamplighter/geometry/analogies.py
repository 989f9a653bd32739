"""Analogies: is the step from king to queen the step from man to woman?

3CosAdd (Mikolov, Yih and Zweig 2013; named by Levy and Goldberg 2014): for two pairs (a, b) and (c, d) of a
relation, the token most similar to b - a + c, these three excluded, should be d.

Beside them, directions of a space: the axis from some words to others, and the consistency of a relation's offsets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import cosines_with
from lamplighter.wire.row_source import RowSource, row_blocks
from living_map.rows import BLOCK_BYTES, split_rows, unit_rows

MAX_QUESTIONS = 1_000
"""Maximum questions for one relation; more are sampled with a fixed seed."""
_MAX_ENUMERATED = 500
"""Maximum pairs whose questions are enumerated (a quarter of a million); with more, questions are drawn."""
_DRAWS = 20
"""Draws per wanted question in that case: some repeat, or give no question."""


class RankedRows(NamedTuple):
    """Rows, nearest first, with their cosines; each of shape (N,)."""

    ids: NDArray[np.int64]
    cosines: NDArray[np.float32]


@dataclass(frozen=True)
class AnalogyShares:
    """Shares of a relation's questions that 3CosAdd and simpler methods answer, each from 0 to 1."""

    questions: int
    accuracy: float
    """3CosAdd; NaN if there are no questions."""
    chance: float
    """Guessing among all tokens except the three given."""
    right_class: float
    """Guessing among the tokens of the right answer's class; NaN if it has none."""
    nearest_of_c: float
    """Naming the token most similar to c, excluding the three given."""
    without_exclusion: float
    """3CosAdd without excluding the three given tokens."""


def analogy_questions(pairs: Sequence[tuple[int, int]], limit: int = MAX_QUESTIONS) -> NDArray[np.int64]:
    """Return the questions (a, b, c, d) from every two pairs, shape (Q, 4). Omits questions without an answer
    (d is one of the three given words) or without content (two of a, b, c are equal). Of more than `limit` it
    is a fixed random sample, which may be smaller.
    """
    known = np.array(list(dict.fromkeys(pairs)), dtype=np.int64).reshape(-1, 2)
    count, random = len(known), np.random.default_rng(0)
    combinations = count * (count - 1)
    drawn = count > _MAX_ENUMERATED
    if drawn:
        codes = random.integers(combinations, size=_DRAWS * limit)
        codes = codes[np.sort(np.unique(codes, return_index=True)[1])]
    else:
        codes = np.arange(combinations)
    # One number encodes two different pairs: the first, and the index among the others.
    one, other = np.divmod(codes, max(1, count - 1))
    other += other >= one
    a, b, c, d = *known[one].T, *known[other].T
    fits = (a != b) & (a != c) & (b != c) & (d != a) & (d != b) & (d != c)
    quadruples = np.stack((a, b, c, d), axis=1)[fits]
    if len(quadruples) <= limit:
        return quadruples
    if drawn:
        return quadruples[:limit]
    return quadruples[np.sort(random.choice(len(quadruples), limit, replace=False))]


def analogy_hits(vectors: NDArray[np.float32], quadruples: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which of the questions, (Q, 4), 3CosAdd answers correctly, shape (Q,). `vectors`: (V, D)."""
    return _answer(unit_rows(vectors), quadruples)[0] == quadruples[:, 3]


def analogy_accuracy(vectors: NDArray[np.float32], pairs: Sequence[tuple[int, int]]) -> float:
    """Return the share of a relation's questions that 3CosAdd answers correctly; NaN if there are none."""
    quadruples = analogy_questions(pairs)
    return float(analogy_hits(vectors, quadruples).mean()) if len(quadruples) else float("nan")


def answer_analogy(vectors: RowSource, a: int, b: int, c: int, most: int) -> tuple[RankedRows, RankedRows]:
    """Return the rows most similar to a - b + c, without the three given rows, and with them. Nearest first,
    equal cosines by id; at most `most` of each.
    """
    units = unit_rows(vectors[np.array([a, b, c])])
    cosines = cosines_with(vectors, unit_rows((units[0] - units[1] + units[2])[None, :]))[0]
    order = np.argsort(-cosines, kind="stable")
    whole = order[:most]
    others = order[: most + 3]
    others = others[~np.isin(others, (a, b, c))][:most]
    return RankedRows(others, cosines[others]), RankedRows(whole, cosines[whole])


def analogy_shares(
    vectors: NDArray[np.float32], pairs: Sequence[tuple[int, int]], class_of: NDArray[np.integer]
) -> AnalogyShares:
    """Compute a relation's `analogy_accuracy` and its baselines on the same questions; NaN if there are none.
    `class_of`: shape (V,), the class of each token, negative for none.
    """
    quadruples = analogy_questions(pairs)
    chance, unknown = chance_accuracy(len(vectors)), float("nan")
    if not len(quadruples):
        return AnalogyShares(0, unknown, chance, unknown, unknown, unknown)
    units, right = unit_rows(vectors), quadruples[:, 3]
    classes = np.asarray(class_of)[right]
    sizes = np.bincount(np.asarray(class_of)[np.asarray(class_of) >= 0], minlength=1)
    answers, unrestricted = _answer(units, quadruples)
    return AnalogyShares(
        len(quadruples),
        float((answers == right).mean()),
        chance,
        float((1 / sizes[classes]).mean()) if (classes >= 0).all() else unknown,
        float((_nearest_of_c(units, quadruples) == right).mean()),
        float((unrestricted == right).mean()),
    )


def _answer(
    units: NDArray[np.float32], quadruples: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row most similar to b - a + c for each question, without the three given rows and with them."""
    without, whole = np.empty((2, len(quadruples)), dtype=np.int64)
    for part in _blocks(len(quadruples), len(units)):
        a, b, c, _ = quadruples[part].T
        scores = (units[b] - units[a] + units[c]) @ units.T
        whole[part] = scores.argmax(axis=1)
        _exclude(scores, a, b, c)
        without[part] = scores.argmax(axis=1)
    return without, whole


def _nearest_of_c(units: NDArray[np.float32], quadruples: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row most similar to c for each question, without the three given rows.

    Many questions share a c, so each c is compared once: its answer is the first of the three rows nearest to it
    that is neither a nor b.
    """
    words, of = np.unique(quadruples[:, 2], return_inverse=True)
    nearest = np.empty((len(words), 3), dtype=np.int64)
    for part in _blocks(len(words), len(units)):
        scores = units[words[part]] @ units.T
        last = words[part]
        for rank in range(3):
            _exclude(scores, last)
            last = nearest[part, rank] = scores.argmax(axis=1)
    allowed = (nearest[of][:, :, None] != quadruples[:, None, :2]).all(axis=2)
    return nearest[of, allowed.argmax(axis=1)]


def _exclude(scores: NDArray[np.floating], *given: NDArray[np.int64]) -> None:
    for rows in given:
        scores[np.arange(len(scores)), rows] = -np.inf


def _blocks(count: int, size: int) -> Iterator[slice]:
    block = max(1, BLOCK_BYTES // (4 * size))
    for start in range(0, count, block):
        yield slice(start, start + block)


def chance_accuracy(size: int) -> float:
    """Return the expected accuracy of guessing in a vocabulary of `size` tokens."""
    return 1 / (size - 3) if size > 3 else float("nan")


DRAWS = 20
"""Number of random relations to compare a relation's consistency with."""
_SEED = 0

Vectors = NDArray[np.float32]


class Axis(NamedTuple):
    """A direction from the mean of some rows to the mean of others."""

    length: float
    """Distance of the two means; 0 if they coincide, so that there is no direction."""
    positions: NDArray[np.float64] | None
    """Shape (V,): each row along the direction, 0 midway between the means; None without a direction."""
    spread: float
    """Standard deviation of these positions; NaN without a direction."""
    spread_by_chance: float
    """Standard deviation of positions along a random direction: the root of the mean variance of a coordinate."""


def measure_axis(vectors: RowSource, start: NDArray[np.integer], end: NDArray[np.integer]) -> Axis:
    """Measure the positions of all rows along the axis from the mean of some rows to the mean of others."""
    one, other = (vectors[rows].mean(axis=0, dtype=np.float64) for rows in (start, end))
    length = float(np.linalg.norm(other - one))
    spread_by_chance = float(np.sqrt(_mean_variance(vectors)))
    if not 0 < length < np.inf:
        return Axis(0.0, None, float("nan"), spread_by_chance)
    direction = (other - one) / length
    positions = np.empty(len(vectors))
    for block in split_rows(*vectors.shape):
        positions[block] = (vectors[block] - (one + other) / 2) @ direction
    return Axis(length, positions, float(positions.std()), spread_by_chance)


def offset_consistency(vectors: Vectors, pairs: Sequence[tuple[int, int]]) -> float:
    """Compute the mean cosine of the offsets (second row minus first) of every two pairs of rows. From -1 to
    1: 1 if all point the same way, about 0 if they have nothing in common; NaN for fewer than two pairs whose
    rows differ.
    """
    return float(
        _mean_cosines(vectors, np.array(list(dict.fromkeys(pairs)), dtype=np.int64).reshape(1, -1, 2))[0]
    )


def consistency_by_chance(
    vectors: Vectors, pairs: Sequence[tuple[int, int]], class_of: NDArray[np.integer]
) -> tuple[float, float]:
    """Compute the `offset_consistency` of random pairs of the same classes: the classes' own, to which a
    relation adds.

    Mean and standard deviation over `DRAWS` draws with a fixed seed; NaN if a word has no class (`class_of`,
    negative), or there are fewer than two pairs.
    """
    known = np.array(list(dict.fromkeys(pairs)), dtype=np.int64).reshape(-1, 2)
    classes = np.asarray(class_of)[known]
    if len(known) < 2 or (classes < 0).any():
        return float("nan"), float("nan")
    random = np.random.default_rng(_SEED)
    members = [np.flatnonzero(np.asarray(class_of) == label) for label in np.unique(classes)]
    places = [np.flatnonzero((classes == label).ravel()) for label in np.unique(classes)]
    drawn = np.empty((DRAWS, known.size), dtype=np.int64)
    for draw in drawn:
        # Draw without replacement: two pairs that share a word would look alike just for that.
        for rows, at in zip(members, places, strict=True):
            draw[at] = random.permutation(rows)[np.arange(len(at)) % len(rows)]
    found = _mean_cosines(vectors, drawn.reshape(DRAWS, -1, 2))
    return float(found.mean()), float(found.std())


def _mean_variance(vectors: RowSource) -> float:
    """Return the mean variance of a coordinate, computed in 64 bits block by block."""
    size, dim = vectors.shape
    mean = sum((rows.sum(axis=0, dtype=np.float64) for _, rows in row_blocks(vectors)), np.zeros(dim)) / size
    squares = sum(float(np.square(vectors[block] - mean).sum()) for block in split_rows(size, dim))
    return squares / (size * dim)


def _mean_cosines(vectors: Vectors, relations: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean cosine of the offsets of every two pairs of each relation, (R, P, 2). Shape (R,)."""
    relation_count, pair_count, _ = relations.shape
    total, count = np.zeros((relation_count, vectors.shape[1])), np.zeros(relation_count)
    for block in split_rows(pair_count, relation_count * vectors.shape[1]):
        ends = vectors[relations[:, block]]
        offsets = unit_rows((ends[:, :, 1] - ends[:, :, 0]).reshape(-1, vectors.shape[1]))
        offsets = offsets.reshape(relation_count, -1, vectors.shape[1])
        # Two equal rows have no offset, so no direction.
        count += offsets.any(axis=2).sum(axis=1)
        total += offsets.sum(axis=1, dtype=np.float64)
    # The sum over all ordered pairs without a table: |sum|^2 minus each with itself.
    several = np.where(count < 2, np.nan, count)
    return np.clip((np.square(total).sum(axis=1) - count) / (several * (several - 1)), -1, 1)
