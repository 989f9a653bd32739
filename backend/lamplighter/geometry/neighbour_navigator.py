"""A game of *Neighbour navigator*: from one row to another along the graph in which each leads to its nearest ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import nearest_rows_of_units, unit_rows

NEIGHBOURS = 8
"""Nearest rows that a row leads to; all others, where there are fewer."""
NEAREST_GOAL, FARTHEST_GOAL = 3, 4
"""Fewest and most moves at which a goal lies, if any does from the starts that are tried. Farther ones are hardly ever reached,
even by who always goes to the word that has most to do with the goal."""
STARTS = 20
"""Starts that are tried, at most."""
MOST_MOVES = 40
"""Most moves of a game."""


class Navigation(NamedTuple):
    """A start, a goal that can be reached from it, and the part of the graph that can."""

    way: tuple[int, ...]
    """Rows of one shortest way, from the start to the goal."""
    rows: NDArray[np.int64]
    """Shape (R,): the rows that can be reached, the start first, those of fewer moves before those of more."""
    neighbours: NDArray[np.int64]
    """Shape (R, K): the nearest rows of each of them, nearest first; all of them can be reached, too."""
    chance: NDArray[np.float64]
    """Shape (`MOST_MOVES` + 1,): the probability of being there within so many moves; see `chance_by_moves`."""


def draw_navigation(
    vectors: NDArray[np.float32], playable: NDArray[np.integer], seed: tuple[int, ...]
) -> Navigation | None:
    """Draw a start and a goal in the graph of the nearest neighbours, by cosine, among some rows of a matrix.

    The start is drawn at random, and the goal from the rows at `NEAREST_GOAL` to `FARTHEST_GOAL` moves from it. Where none of the
    starts that are tried has such a row, the goal is a nearer one, as far as there is any, but never a neighbour of the start.

    Args:
        vectors: shape (V, D).
        playable: shape (N,), distinct row numbers; those without a direction never occur.
        seed: the same one gives the same game in the same matrix.

    Returns:
        The game; None where no row leads to another in two moves or more.
    """
    units = unit_rows(vectors[playable])
    directed = units.any(axis=1)
    ids, units = np.asarray(playable, dtype=np.int64)[directed], units[directed]
    graph = nearest_rows_of_units(units, np.arange(len(units)), NEIGHBOURS)[0]
    draw = np.random.default_rng(seed)
    start, moves, farthest = 0, np.zeros(0, dtype=np.int64), 1
    for tried in draw.permutation(len(ids))[:STARTS].tolist():
        found = count_moves(graph, tried)
        if found.max() > farthest:
            start, moves, farthest = tried, found, int(found.max())
        if farthest >= NEAREST_GOAL:
            break
    if farthest == 1:
        return None
    goals = (moves >= min(farthest, NEAREST_GOAL)) & (moves <= FARTHEST_GOAL)
    goal = int(draw.choice(np.flatnonzero(goals)))
    reached = np.flatnonzero(moves >= 0)
    reached = reached[np.argsort(moves[reached], kind="stable")]
    return Navigation(
        way=tuple(ids[shortest_way(graph, moves, goal)].tolist()),
        rows=ids[reached],
        neighbours=ids[graph[reached]],
        chance=chance_by_moves(graph, start, goal),
    )


def count_moves(graph: NDArray[np.integer], start: int) -> NDArray[np.int64]:
    """Count the fewest moves from a row to each, breadth first.

    Args:
        graph: shape (N, K), the rows that each row leads to.
        start: row to begin at.

    Returns:
        Shape (N,); -1 for rows that cannot be reached.
    """
    moves = np.full(len(graph), -1, dtype=np.int64)
    frontier = np.array([start])
    for count in range(len(graph)):
        moves[frontier] = count
        frontier = np.unique(graph[frontier])
        frontier = frontier[moves[frontier] < 0]
        if not len(frontier):
            break
    return moves


def shortest_way(graph: NDArray[np.integer], moves: NDArray[np.int64], goal: int) -> list[int]:
    """Return one way of the fewest moves, both ends included; of several, each row is the first that leads on.

    Args:
        graph: shape (N, K).
        moves: shape (N,), the moves from the start, from `count_moves`.
        goal: a row that can be reached.
    """
    way = [goal]
    for count in range(int(moves[goal]) - 1, -1, -1):
        before = np.flatnonzero(moves == count)
        way.append(int(before[(graph[before] == way[-1]).any(axis=1)][0]))
    return way[::-1]


def chance_by_moves(
    graph: NDArray[np.integer], start: int, goal: int, most: int = MOST_MOVES
) -> NDArray[np.float64]:
    """Return the probability that somebody who knows nothing of the rows is at the goal within 0, 1, ... `most` moves.

    They go to each neighbour of the row they stand on with the same probability, unless the goal is among them: then they go
    there, as anybody would who can read. Exact: the distribution over all rows is carried from move to move.

    Args:
        graph: shape (N, K).
        start: row to begin at, other than the goal.
        goal: row to reach.
        most: moves to follow.
    """
    size, degree = graph.shape
    sees_goal = (graph == goal).any(axis=1)
    share = np.zeros(size)
    share[start] = 1
    reached = np.zeros(most + 1)
    for move in range(1, most + 1):
        reached[move] = reached[move - 1] + share[sees_goal].sum()
        share[sees_goal] = 0
        share = np.bincount(graph.ravel(), np.repeat(share / degree, degree), size)
    return np.minimum(reached, 1)
