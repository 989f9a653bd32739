"""A tile returns every bit between any two steps, and other bytes are rejected."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter.wire.binary import FrameError
from lamplighter.wire.tile_frames import Tile, decode_tile, encode_tile

V, D = 9, 3
FIRST = 11


def bits(values: np.ndarray) -> list[int]:
    return np.ascontiguousarray(values, dtype=np.float32).view(np.uint32).ravel().tolist()


class Moves:
    """Rows that move at random or with momentum, some of them to bit patterns that are not numbers."""

    def __init__(self, seed: int, steps: int, momentum: bool) -> None:
        random = np.random.default_rng(seed)
        matrix = random.standard_normal((V, D)).astype(np.float32)
        speed = np.zeros_like(matrix)
        self.matrices = [matrix.copy()]
        self.moves: list[tuple[int, int, np.ndarray]] = []
        for step in range(FIRST, FIRST + steps):
            ids = np.flatnonzero(random.random(V) < 0.3)
            speed[ids] = 0.9 * speed[ids] + 0.01 * random.standard_normal((len(ids), D))
            by = speed[ids] if momentum else random.standard_normal((len(ids), D)).astype(np.float32)
            # Some entries have become NaN or infinite, and stay so.
            with np.errstate(invalid="ignore", over="ignore"):
                matrix[ids] += by
            for row in ids:
                if random.random() < 0.1:
                    matrix[row] = random.integers(0, 2**32, D, dtype=np.uint32).view(np.float32)
                self.moves.append((int(row), step, matrix[row].copy()))
            self.matrices.append(matrix.copy())
        self.moves.sort(key=lambda move: move[:2])

    def tile(self, first: int, following: int) -> bytes:
        mine = [move for move in self.moves if first <= move[0] < following]
        return encode_tile(
            3,
            (FIRST, FIRST + len(self.matrices) - 2),
            first,
            np.bincount([row - first for row, _, _ in mine], minlength=following - first).astype(np.uint32),
            np.array([step for _, step, _ in mine], dtype=np.uint32),
            self.matrices[0][first:following],
            np.array([vector for _, _, vector in mine], dtype=np.float32).reshape(-1, D),
        )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 30), momentum=st.booleans(), data=st.data())
def test_tiles_round_trip_bit_for_bit(seed: int, steps: int, momentum: bool, data: st.DataObject) -> None:
    moves = Moves(seed, steps, momentum)
    first = data.draw(st.integers(0, V - 1))
    following = data.draw(st.integers(first + 1, V))
    tile = decode_tile(moves.tile(first, following))
    assert (tile.attempt, tile.first_step, tile.last_step) == (3, FIRST, FIRST + steps - 1)
    assert (tile.first_token, tile.tokens) == (first, following - first)
    at = data.draw(st.integers(0, steps))
    to = data.draw(st.integers(0, steps))
    matrix = moves.matrices[at].copy()
    tile.move_rows(matrix, FIRST - 1 + at, FIRST - 1 + to)
    assert bits(matrix[first:following]) == bits(moves.matrices[to][first:following])
    assert bits(matrix[following:]) == bits(moves.matrices[at][following:])
    token = data.draw(st.integers(first, following - 1))
    when, where = tile.moves_of(token, moves.matrices[at][token], FIRST - 1 + at)
    mine = [move for move in moves.moves if move[0] == token and move[1] >= FIRST + at]
    assert when.tolist() == [step for _, step, _ in mine]
    assert bits(where) == bits(np.array([vector for _, _, vector in mine]))
    ids, when, where = tile.all_moves(moves.matrices[0])
    mine = [move for move in moves.moves if first <= move[0] < following]
    assert [ids.tolist(), when.tolist()] == [[move[0] for move in mine], [move[1] for move in mine]]
    assert bits(where) == bits(np.array([vector for _, _, vector in mine]))


def test_steady_motion_packs_better_with_second_differences() -> None:
    start = np.zeros((1, 64), dtype=np.float32) + 1
    steady = start + 1e-3 * np.arange(1, 200)[:, None].astype(np.float32)
    noise = np.random.default_rng(0).standard_normal((199, 64)).astype(np.float32)
    span, counts, steps = (1, 199), np.array([199], dtype=np.uint32), np.arange(1, 200, dtype=np.uint32)
    packed = [encode_tile(1, span, 0, counts, steps, start, rows) for rows in (steady, noise)]
    assert len(packed[0]) < 0.2 * 4 * steady.size
    assert len(packed[1]) < 1.02 * 4 * noise.size


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=300))
def test_rejects_bytes_that_are_not_a_tile(data: bytes) -> None:
    with pytest.raises(FrameError):
        decode_tile(data)


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.integers(0, 400))
def test_a_damaged_tile_is_rejected_or_valid(at: int, value: int, cut: int) -> None:
    whole = bytearray(Moves(1, 20, False).tile(0, V))
    whole[at % len(whole)] = value
    try:
        tile = decode_tile(bytes(whole[: len(whole) - cut] if cut < 40 else whole))
    except FrameError:
        return
    assert isinstance(tile, Tile)
    matrix = np.zeros((V + tile.first_token, tile.dim), dtype=np.float32)
    if tile.first_token + tile.tokens <= len(matrix):
        tile.move_rows(matrix, tile.first_step - 1, tile.last_step)
