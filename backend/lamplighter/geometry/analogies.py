"""Analogies: is the step from king to queen the step from man to woman?

3CosAdd (Mikolov, Yih and Zweig 2013; named by Levy and Goldberg 2014): for two pairs (a, b) and (c, d) of a
relation, the token most like b - a + c among all but those three should be d.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import BLOCK_BYTES, unit_rows

MOST_QUESTIONS = 1_000
"""Asked of one relation; with more pairs than give so many, a fixed sample of the questions."""


def questions(pairs: Sequence[tuple[int, int]], most: int = MOST_QUESTIONS) -> NDArray[np.int64]:
    """The questions (a, b, c, d) that pairs give, shape (Q, 4): every pair against every other.

    Left out are those that cannot be answered, since d is one of the three words given, and those that are
    none, since two of a, b, c are the same. Of more than `most`, a random sample that is always the same.
    """
    rows = [
        (a, b, c, d)
        for (a, b), (c, d) in permutations(dict.fromkeys(pairs), 2)
        if len({a, b, c}) == 3 and d not in (a, b, c)
    ]
    found = np.array(rows, dtype=np.int64).reshape(-1, 4)
    if len(found) > most:
        found = found[np.sort(np.random.default_rng(0).choice(len(found), most, replace=False))]
    return found


def analogy_accuracy(
    vectors: NDArray[np.float32], pairs: Sequence[tuple[int, int]], most: int = MOST_QUESTIONS
) -> float:
    """The share of the questions of a relation that 3CosAdd answers.

    Args:
        vectors: shape (V, D).
        pairs: token ids that stand to one another alike.
        most: questions asked.

    Returns:
        From 0 to 1; NaN when the pairs give no question.
    """
    asked = questions(pairs, most)
    if not len(asked):
        return float("nan")
    units = unit_rows(vectors)
    right = 0
    block = max(1, BLOCK_BYTES // (4 * len(units)))
    for start in range(0, len(asked), block):
        a, b, c, d = asked[start : start + block].T
        scores = (units[b] - units[a] + units[c]) @ units.T
        rows = np.arange(len(scores))
        for given in (a, b, c):
            scores[rows, given] = -np.inf
        right += int((scores.argmax(axis=1) == d).sum())
    return right / len(asked)


def chance_accuracy(size: int) -> float:
    """What guessing among the tokens of a vocabulary of `size` would score."""
    return 1 / (size - 3) if size > 3 else float("nan")
