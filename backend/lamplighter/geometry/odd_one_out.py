"""Rounds of *Odd one out*: three rows that lie close together, and a fourth that lies far from all three."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import unit_rows

WORDS = 4
"""Words of a round, one of which is the odd one."""
TRIES = 3
"""First words that are tried for each round, at most."""
PRODUCTS_PER_TRY = 3
"""Products of the matrix with a row that one try takes."""
_FARTHEST = 4
"""Part of the rows from which the odd one is drawn: the farthest quarter."""


class Round(NamedTuple):
    """Four rows in the order in which they are shown."""

    rows: tuple[int, ...]
    odd: int
    """Place of the odd one among them, from 0; as likely at each place."""
    cosines: NDArray[np.float32]
    """Shape (4, 4), of each with each."""


def draw_rounds(
    vectors: NDArray[np.float32], playable: NDArray[np.bool_], most: int, seed: tuple[int, ...]
) -> list[Round]:
    """Draw rounds from a matrix, no row in two of them.

    The three are a row drawn at random, the row most similar to it, and the row whose smaller similarity with these two is
    largest. The fourth is drawn from the quarter of the rows whose largest similarity with any of the three is smallest. A round
    counts only if every two of the three are more similar than the fourth is to any of them, so that no other answer is as good.

    Args:
        vectors: shape (V, D).
        playable: shape (V,), the rows that may occur; those without a direction never do.
        most: number of rounds; fewer where rows run out, or too many lie equally far.
        seed: the same one gives the same rounds of the same matrix.
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
    # The smaller and the larger of the similarities with those chosen so far.
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
