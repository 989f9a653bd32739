"""The choice of the keyframe to replace: never a needed one, nor the first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.row_deltas import RowDeltas, StepCoverage
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter, find_most_redundant
from lamplighter.runfolder.tables.tiles import TilesWriter
from lamplighter.wire.frames import encode
from lamplighter.wire.row_frames import Rows

V, D = 3, 2


class Run:
    """A run whose matrix is filled with its step number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writer = StepsWriter(folder / "steps.sqlite")
        self.writer.start_attempt(0)
        self.writer.add_keyframe(0, self._whole(0), b"census")

    def add(
        self, step: int, *, keyframe: bool = False, rows: bool = False, replaced: int | None = None
    ) -> None:
        self.writer.commit(
            StepRecord(
                step, b"pulse", b"digest", self._whole(step) if rows else None,
                *((self._whole(step), b"census") if keyframe else (None, None)),
                replaced_keyframe=replaced,
            )
        )  # fmt: skip

    def keyframes(self) -> list[int]:
        with MatrixHistory(RunFolder(self.folder)) as history:
            return [step for _, step in history.steps.keyframe_steps()]

    def _whole(self, step: int) -> bytes:
        return encode(Rows.of_matrix(self.writer.attempt, step, 1.0, np.full((V, D), step, np.float32)))


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    made = Run(tmp_path)
    yield made
    made.writer.close()


def test_keeps_the_first_keyframe_and_those_before_moved_rows(run: Run) -> None:
    for step in range(1, 9):
        run.add(step, keyframe=step in (2, 4, 6), rows=step in (3, 4, 5))
    # 2 and 4 have rows after them; 0 is the first.
    found = run.writer.find_surplus_keyframe(9)
    assert found == 1 << 32 | 6
    run.add(9, keyframe=True, replaced=found)
    assert run.keyframes() == [0, 2, 4, 9]
    with MatrixHistory(RunFolder(run.folder)) as history:
        assert history.exact_steps().tolist() == [0, 2, 3, 4, 5, 9]


def test_keeps_keyframes_that_tiles_apply_to(run: Run) -> None:
    for step in range(1, 7):
        run.add(step, keyframe=step in (2, 4))
    with TilesWriter(run.folder / "tiles.sqlite") as tiles:
        tiles.commit(1, 3, 4, [(0, b"tile")])
    assert run.writer.find_surplus_keyframe(7) == 1 << 32 | 4
    (run.folder / "tiles.sqlite").write_bytes(b"x" * 4_096)
    # Unknown whether tiles need one.
    assert run.writer.find_surplus_keyframe(7) is None


def test_drops_superseded_keyframes_first_but_keeps_the_start_of_an_attempt(run: Run) -> None:
    for step in range(1, 7):
        run.add(step, keyframe=True)
    run.writer.start_attempt(5)
    run.add(5, rows=True)
    assert run.writer.find_surplus_keyframe(6) == 1 << 32 | 5
    run.add(6, keyframe=True, replaced=1 << 32 | 5)
    assert run.writer.find_surplus_keyframe(7) == 1 << 32 | 6
    run.add(7, keyframe=True, replaced=1 << 32 | 6)
    gone: list[int] = []
    for step in range(8, 12):
        row = run.writer.find_surplus_keyframe(step)
        assert row is not None
        gone.append(row & 0xFF)
        run.add(step, keyframe=True, replaced=row)
    # The rows of step 5 apply to the matrix of step 4.
    assert not {0, 4} & {*gone}
    assert {0, 4, 11} <= {*run.keyframes()}


def test_keeps_a_single_keyframe(run: Run) -> None:
    assert run.writer.find_surplus_keyframe(5) is None


@pytest.mark.parametrize("room", [2, 3, 6, 20])
def test_remaining_keyframes_form_a_logarithmic_series(room: int) -> None:
    steps, every, last = [0], 100, 100_000
    for now in range(every, last + 1, every):
        if len(steps) == room:
            index = find_most_redundant(np.array(steps, np.int64), now, np.ones(room, bool))
            assert index is not None
            del steps[index]
        steps.append(now)
    assert (len(steps), steps[0], steps[-1]) == (room, 0, last)
    ages = last - np.array(steps[:-1], np.int64)
    # From each to the next, the age falls by about the same factor: 1,000 in all.
    factors = ages[:-1] / ages[1:]
    assert len(factors) == 0 or factors.max() < 4 * 1_000 ** (1 / len(factors))


def test_rereads_a_path_if_a_keyframe_disappears(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in range(1, 6):
        run.add(step, keyframe=True)
    read, replaced = RowDeltas.coverage, [1 << 32 | 3]

    def read_and_lose(self: RowDeltas, *lineage: object) -> StepCoverage:
        found = read(self, *lineage)  # pyright: ignore[reportArgumentType]
        if replaced:
            run.add(6, keyframe=True, replaced=replaced.pop())
        return found

    monkeypatch.setattr(RowDeltas, "coverage", read_and_lose)
    with MatrixHistory(RunFolder(run.folder)) as history:
        path = history.token_history(1)
    assert path.steps.tolist() == [0, 1, 2, 4, 5, 6]
    assert path.vectors[:, 0].tolist() == [0, 1, 2, 4, 5, 6]
