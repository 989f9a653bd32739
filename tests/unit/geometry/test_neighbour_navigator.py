"""Games of *Neighbour navigator*: known ways and probabilities in graphs made by hand, and none that cannot be won."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from lamplighter.geometry.neighbour_navigator import (
    FARTHEST_GOAL,
    MOST_MOVES,
    NEAREST_GOAL,
    NEIGHBOURS,
    Navigation,
    chance_by_moves,
    count_moves,
    draw_navigation,
    shortest_way,
)
from lamplighter.geometry.neighbours import all_nearest

GRAPH = np.array([[1, 2], [3, 0], [3, 0], [4, 5], [0, 5], [5, 3], [0, 3]])
"""Seven rows: 0 leads by 1 or 2 to 3, and 3 to 4 and 5; nothing leads to 6."""
DIM = 8


def scattered(size: int = 300, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((size, DIM)).astype(np.float32)


def draw(vectors: np.ndarray, seed: int = 0) -> Navigation | None:
    return draw_navigation(vectors, np.arange(len(vectors)), (seed, 500))


def test_the_fewest_moves_to_each_row_and_one_way_of_so_many():
    moves = count_moves(GRAPH, 0)
    assert moves.tolist() == [0, 1, 1, 2, 3, 3, -1]
    # Of the two ways to 3, that by the first row.
    assert shortest_way(GRAPH, moves, 5) == [0, 1, 3, 5]
    assert shortest_way(GRAPH, moves, 0) == [0]
    assert count_moves(GRAPH, 6).tolist() == [1, 2, 2, 1, 2, 2, 0]
    # Whoever is at 5 gets to everything again, but not to 6.
    assert count_moves(GRAPH, 5).tolist() == [3, 4, 4, 1, 2, 0, -1]


def test_the_probability_of_being_there_is_that_counted_by_hand():
    # To 4: at 3 after two moves with probability 1/2, and then it is seen. Else at 0 again, and the same once more.
    chance = chance_by_moves(GRAPH, 0, 4, most=7)
    assert chance.tolist() == [0, 0, 0, 0.5, 0.5, 0.75, 0.75, 0.875]
    # Seen at once.
    assert chance_by_moves(GRAPH, 0, 2, most=2).tolist() == [0, 1, 1]
    # What cannot be reached is never reached.
    assert not chance_by_moves(GRAPH, 0, 6).any()


def test_the_probability_is_the_share_of_those_who_walk_at_random():
    game = draw(scattered(60))
    assert game is not None
    neighbours = dict(zip(game.rows.tolist(), game.neighbours.tolist(), strict=True))
    dice, within, games = np.random.default_rng(1), 10, 2_000
    there = 0
    for _ in range(games):
        at = game.way[0]
        for _ in range(within):
            at = game.way[-1] if game.way[-1] in neighbours[at] else neighbours[at][dice.integers(NEIGHBOURS)]
            if at == game.way[-1]:
                there += 1
                break
    expected = game.chance[within]
    assert abs(there / games - expected) < 4 * (expected * (1 - expected) / games) ** 0.5


@pytest.mark.parametrize("seed", range(12))
def test_a_game_leads_along_the_nearest_rows_to_a_goal_that_is_not_near(seed: int):
    vectors = scattered()
    game = draw(vectors, seed)
    assert game is not None
    nearest = all_nearest(vectors, NEIGHBOURS)[0]
    assert game.neighbours.tolist() == nearest[game.rows].tolist()
    assert all(after in nearest[before] for before, after in pairwise(game.way))
    fewest = len(game.way) - 1
    assert NEAREST_GOAL <= fewest <= FARTHEST_GOAL
    assert (game.rows[0], len(game.chance)) == (game.way[0], MOST_MOVES + 1)
    assert not game.chance[:fewest].any()
    assert game.chance[fewest] > 0
    assert (np.diff(game.chance) >= 0).all()
    assert game.chance[-1] <= 1
    # All that one comes to is told.
    assert set(game.neighbours.ravel().tolist()) <= set(game.rows.tolist())


def test_no_goal_lies_in_another_town():
    # Two towns that lie opposite: no row of the one is near a row of the other.
    vectors = np.abs(scattered(120))
    vectors[60:] *= -1
    for seed in range(8):
        game = draw(vectors, seed)
        assert game is not None
        assert len({row < 60 for row in game.rows.tolist()}) == 1


def test_a_seed_repeats_its_game():
    games = [draw(scattered(), seed) for seed in (1, 1, 2)]
    one, same, other = [game.way for game in games if game is not None]
    assert one == same != other


def test_goals_are_nearer_where_none_are_far():
    # Twelve rows: one leads to eight of them, and to the last in two moves.
    game = draw(scattered(12))
    assert game is not None
    assert len(game.way) == 3


def test_fewer_rows_than_neighbours_have_no_game():
    for size in range(NEIGHBOURS + 2):
        assert draw(scattered(size)) is None


def test_rows_that_do_not_play_and_rows_without_a_direction_never_occur():
    vectors = scattered()
    vectors[::5] = 0
    vectors[1] = np.nan
    vectors[2] = np.inf
    game = draw_navigation(vectors, np.arange(100), (0,))
    assert game is not None
    rows = set(game.rows.tolist())
    assert rows <= set(range(100)) - {1, 2} - set(range(0, 100, 5))
    assert len(rows) > 20
    assert draw(np.zeros((50, DIM), dtype=np.float32)) is None


def test_rows_that_are_equally_near_come_by_number():
    game = draw(np.ones((50, DIM), dtype=np.float32))
    assert game is not None
    for row, nearest in zip(game.rows.tolist(), game.neighbours.tolist(), strict=True):
        assert nearest == [other for other in range(NEIGHBOURS + 1) if other != row][:NEIGHBOURS]
