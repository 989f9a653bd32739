"""Keyframes and moved rows rebuild the exact matrix, for any moves and any number of attempts."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.wire.binary import UInts
from lamplighter.wire.frames import encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import NEVER, Census, Rows

V, D = 12, 3


def pulse(attempt: int, step: int, ids: UInts) -> bytes:
    norms = np.ones(len(ids), np.float32)
    counts = np.ones(len(ids), np.uint32)
    return encode(
        Pulse(
            attempt=attempt, step=step, time=1.0, vocabulary=V, loss=2.0, learning_rate=0.1,
            tokens_per_second=1.0, step_seconds=1.0, observe_seconds=1.0,
            batch_ids=ids, batch_counts=counts, gradient_ids=ids, gradient_norms=norms,
            moved_ids=ids, moved_distances=norms, layer_norms=norms[:1],
        )
    )  # fmt: skip


def whole(attempt: int, step: int, matrix: np.ndarray) -> bytes:
    return encode(Rows.of_matrix(attempt, step, 1.0, matrix))


moves = st.lists(st.sets(st.integers(0, V - 1)), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    attempts=st.lists(st.tuples(st.floats(0, 1), moves), min_size=1, max_size=4),
    every=st.integers(1, 6),
    seed=st.integers(0, 2**32),
)
def test_every_step_of_the_line_rebuilds_bit_for_bit(
    attempts: list[tuple[float, list[set[int]]]], every: int, seed: int
):
    """An attempt starts at any reached step and continues from the state before it."""
    random = np.random.default_rng(seed)
    expected = [random.standard_normal((V, D)).astype(np.float32)]
    lit: list[set[int]] = [set()]
    with tempfile.TemporaryDirectory() as folder, StepsWriter(Path(folder) / "steps.sqlite") as writer:
        for number, (where, steps) in enumerate(attempts, start=1):
            first = 0 if number == 1 else 1 + round(where * (len(expected) - 1))
            writer.start_attempt(first)
            if number == 1:
                writer.add_keyframe(0, whole(1, 0, expected[0]), _census(1, 0, lit))
                first = 1
            del expected[first:], lit[first:]
            for step, moved in enumerate(steps, start=first):
                matrix = expected[-1].copy()
                ids = np.array(sorted(moved), dtype=np.uint32)
                matrix[ids] = random.standard_normal((len(ids), D)).astype(np.float32)
                expected.append(matrix)
                lit.append(moved)
                key = (
                    (whole(number, step, matrix), _census(number, step, lit))
                    if step % every == 0
                    else (None, None)
                )
                record = encode(Rows(number, step, 1.0, V, ids, matrix[ids]))
                writer.commit(StepRecord(step, pulse(number, step, ids), b"", record, *key))
        with MatrixHistory(RunFolder(Path(folder))) as history:
            reader = history.steps
            assert reader.newest_step()[1] == len(expected) - 1
            for step, matrix in enumerate(expected):
                np.testing.assert_array_equal(history.snapshot(step).vectors, matrix)
                seen = read_touches(reader, step)
                assert seen.touches.tolist() == [sum(i in s for s in lit[: step + 1]) for i in range(V)]
            with pytest.raises(NoSnapshotError, match=f"is {len(expected) - 1}"):
                history.snapshot(len(expected))


def _census(attempt: int, step: int, lit: list[set[int]]) -> bytes:
    counts = np.array([sum(i in s for s in lit) for i in range(V)], dtype=np.uint32)
    last = np.array(
        [max((n for n, s in enumerate(lit) if i in s), default=NEVER) for i in range(V)], dtype=np.uint32
    )
    return encode(Census(attempt, step, 1.0, counts, last))


def test_without_rows_only_keyframes_are_exact(tmp_path: Path):
    matrix = np.ones((V, D), np.float32)
    everything = np.arange(V, dtype=np.uint32)
    with StepsWriter(tmp_path / "steps.sqlite") as writer:
        writer.start_attempt(0)
        writer.add_keyframe(0, whole(1, 0, matrix), _census(1, 0, [set()]))
        for step in range(1, 6):
            key = (whole(1, step, matrix * step), _census(1, step, [set()])) if step == 4 else (None, None)
            writer.commit(StepRecord(step, pulse(1, step, everything), b"", None, *key))
        with MatrixHistory(RunFolder(tmp_path)) as history:
            assert history.snapshot(4).vectors[0, 0] == 4
            with pytest.raises(NoSnapshotError) as caught:
                history.snapshot(5)
            assert caught.value.nearest == 4
            assert history.snapshot(3, nearest=True).step == 0
