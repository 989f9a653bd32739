"""Rounds of *Odd one out*: three rows close together, and a fourth far from all of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from living_map.rows import unit_rows

WORDS = 4
"""Words in a round, including the odd one."""
TRIES = 3
"""Maximum first words to try for each round."""
PRODUCTS_PER_TRY = 3
"""Products of the matrix with a row in one try."""
_FARTHEST = 4
"""The odd one is drawn from the farthest 1 / `_FARTHEST` of the rows."""


class Round(NamedTuple):
    """Four rows in display order."""

    rows: tuple[int, ...]
    odd: int
    """Index of the odd one, from 0; each is equally likely."""
    cosines: NDArray[np.float32]
    """Cosines of every two rows, shape (4, 4)."""


def draw_rounds(
    vectors: NDArray[np.float32], playable: NDArray[np.bool_], most: int, seed: tuple[int, ...]
) -> list[Round]:
    """Draw at most `most` disjoint rounds from a matrix, (V, D), determined by `seed`.

    The three are a random row, the row most similar to it, and the row with the largest minimum similarity to
    both. The fourth is drawn from the quarter of the rows with the smallest maximum similarity to the three.
    A round counts only if every two of the three are more similar than the fourth is to any of them, so that
    the answer is unique. `playable`: shape (V,), the rows that may occur; those without a direction never do.
    """
    units = unit_rows(vectors)
    free = playable & units.any(axis=1)
    draw = np.random.default_rng(seed)
    rounds: list[Round] = []
    for first in draw.permutation(np.flatnonzero(free))[: TRIES * most].tolist():
        if len(rounds) == most or free.sum() < WORDS:
            break
        if free[first]:
            found = _draw_round(units, free, first, draw)
            if found is not None:
                rounds.append(found)
                free[list(found.rows)] = False
    return rounds


def _draw_round(
    units: NDArray[np.float32], free: NDArray[np.bool_], first: int, draw: np.random.Generator
) -> Round | None:
    free = free.copy()
    three = [first]
    free[first] = False
    # The minimum and the maximum similarity to the rows chosen so far.
    least = most = units @ units[first]
    while len(three) < WORDS - 1:
        three.append(int(np.where(free, least, -np.inf).argmax()))
        free[three[-1]] = False
        similar = units @ units[three[-1]]
        least, most = np.minimum(least, similar), np.maximum(most, similar)
    others = np.flatnonzero(free)
    farthest = others[np.argsort(most[others], kind="stable")][: -(-len(others) // _FARTHEST)]
    odd = int(draw.choice(farthest))
    chosen = units[[*three, odd]]
    cosines = np.clip(chosen @ chosen.T, -1, 1)
    if cosines[:-1, :-1].min() <= cosines[-1, :-1].max():
        return None
    order = draw.permutation(WORDS)
    rows = np.array([*three, odd])[order]
    return Round(
        tuple(rows.tolist()), int(np.flatnonzero(order == WORDS - 1)[0]), cosines[np.ix_(order, order)]
    )
