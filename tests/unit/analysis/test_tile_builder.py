"""Stretches are tiled while the writer drops their rows: every step stays exact at every moment."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from lamplighter.analysis.analyst import MAX_STRETCH_STEPS, Analyst, tile_next_stretch
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables import row_pruning
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.tables.tiles import TilesWriter
from lamplighter.runfolder.writing.finalise import compact_run, unsealed_roles
from tests.support.synthetic_runs.growing_run import GrowingRun


def tile(run: RunFolder, *, over: bool = False) -> int:
    """Write every stretch that can be tiled. Return their number."""
    made = 0
    with MatrixHistory(run) as history, TilesWriter(run.tiles_path) as writer:
        while tile_next_stretch(history, writer, over=over):
            made += 1
    return made


def check(made: GrowingRun, every: int = 7) -> None:
    """Check that snapshots, the walk through steps and token paths equal the recorded matrices."""
    with MatrixHistory(made.folder) as history:
        assert history.exact_steps().tolist() == list(range(made.at + 1))
        for step in range(0, made.at + 1, every):
            np.testing.assert_array_equal(history.snapshot(step).vectors, made.history[step])
        for at in history.snapshots(3, made.at, every):
            np.testing.assert_array_equal(at.vectors, made.history[at.step])
        for token in (0, made.size // 2, made.size - 1):
            first, last = made.at // 3, made.at - 5
            found = history.token_history(token, first, last)
            assert found.steps.tolist() == list(range(first, last + 1))
            np.testing.assert_array_equal(
                found.vectors, [made.history[step][token] for step in range(first, last + 1)]
            )


@pytest.mark.parametrize("keyframe_every", [10, 100, 150, 1_000])
def test_a_growing_run_stays_exact_while_it_is_tiled(tmp_path: Path, keyframe_every: int) -> None:
    run = GrowingRun(tmp_path, size=60, dim=4, keyframe_every=keyframe_every)
    with run.writer:
        for _ in range(6):
            run.grow(150, rows=8)
            tile(run.folder)
            check(run, every=41)
        with StepsReader(run.folder.steps_path) as reader, MatrixHistory(run.folder) as history:
            stretches = history.stretches()
            kept = reader.steps_with_rows(1, run.at)
            keyframes = [step for _, step in reader.keyframe_steps()]
        if keyframe_every == 1_000:
            # Rows are tiled only behind a keyframe, because followers of the run read newer ones from the
            # steps.
            assert not stretches
            return
        assert [s.first for s in stretches] == [1, *(s.last + 1 for s in stretches[:-1])]
        assert all(s.last - s.first < MAX_STRETCH_STEPS and s.last % keyframe_every == 0 for s in stretches)
        assert stretches[-1].last > run.at - 2 * MAX_STRETCH_STEPS - keyframe_every
        # A few rows are dropped per step, and never the newest.
        assert kept[0] > 300
        assert set(range(run.at - row_pruning.UNPRUNED_STEPS, run.at + 1)) <= set(kept)
        gaps = np.diff(keyframes)
        assert gaps.max() <= max(row_pruning.MAX_KEYFRAME_GAP, keyframe_every)
        if keyframe_every == 10:
            assert gaps[0] == row_pruning.MAX_KEYFRAME_GAP


def test_handles_an_attempt_that_supersedes_tiled_steps(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=40, dim=4, keyframe_every=20)
    with run.writer:
        run.grow(470, rows=6)
        tile(run.folder)
        run.resume_from(333)
        run.grow(60, rows=6)
        check(run)
        assert tile(run.folder) == 0
        run.grow(300, rows=6)
        assert tile(run.folder) >= 1
        check(run)
        with MatrixHistory(run.folder) as history:
            assert [(s.attempt, s.first, s.last) for s in history.stretches()][:3] == [
                (1, 1, 200), (1, 201, 333), (2, 334, 520)
            ]  # fmt: skip


def test_compacts_and_seals_a_finished_run(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=60, dim=16, keyframe_every=50)
    run.grow(487, rows=8)
    run.end()
    before = run.folder.steps_path.stat().st_size
    Analyst(run.folder).run()
    check(run)
    assert not unsealed_roles(run.folder)
    with MatrixHistory(run.folder) as history:
        assert not history.steps.has_rows()
        assert history.steps.keyframe_step(487) == 487
        assert history.stretches()[-1].last == 487
    after = run.folder.steps_path.stat().st_size + run.folder.tiles_path.stat().st_size
    assert run.folder.steps_path.stat().st_size < before / 2
    assert after < before
    # A continued run resumes tiling where it stopped.
    run.writer = type(run.writer)(run.folder.steps_path)
    run.writer.set_facts({"phase": "running"})
    run.grow(300, rows=8)
    check(run)
    run.end()
    Analyst(run.folder).run()
    check(run)


def test_does_not_compact_a_continued_run(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=40, dim=4)
    with run.writer:
        run.grow(250, rows=4)
        tile(run.folder)
        assert not compact_run(run.folder, patience=0)
        check(run)


def test_missing_rows_leave_only_a_gap(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=40, dim=4, keyframe_every=20)
    run.grow(130, rows=4)
    run.dense = True
    run.grow(50, rows=4)
    run.dense = False
    run.grow(300, rows=4)
    run.end()
    exact = [*range(131), 140, 160, *range(180, 481)]
    for _ in range(2):
        with MatrixHistory(run.folder) as history:
            assert history.exact_steps().tolist() == exact
            for step in (0, 130, 160, 180, 181, 480):
                np.testing.assert_array_equal(history.snapshot(step).vectors, run.history[step])
            found = history.token_history(5)
            np.testing.assert_array_equal(found.vectors, [run.history[step][5] for step in exact])
            assert history.snapshot(150, nearest=True).step == 140
        Analyst(run.folder).run()


def test_reads_correctly_during_tiling_and_pruning(tmp_path: Path) -> None:
    """A reader works while the trainer commits and drops rows and the analyst tiles."""
    run = GrowingRun(tmp_path, size=40, dim=4, keyframe_every=20)
    random = np.random.default_rng(0)
    with run.writer, MatrixHistory(run.folder) as history, TilesWriter(run.folder.tiles_path) as tiles:
        deadline = time.monotonic() + 20
        while run.at < 1_200 and time.monotonic() < deadline:
            run.grow(10, rows=4)
            with MatrixHistory(run.folder) as own:
                tile_next_stretch(own, tiles, over=False)
            step = int(random.integers(0, run.at + 1))
            np.testing.assert_array_equal(history.snapshot(step).vectors, run.history[step])
            found = history.token_history(int(random.integers(0, 40)), step)
            assert found.steps.tolist() == list(range(step, run.at + 1))
    assert run.at > 400
