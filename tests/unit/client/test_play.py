from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

import lamplighter
from lamplighter.analysis.tile_builder import tile_next_stretch
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.tables.tiles import TilesWriter
from lamplighter.wire.frames import Frame, encode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows
from tests.support.synthetic_runs.growing_run import GrowingRun


def matrix_of(frames: list[Frame]) -> np.ndarray:
    matrix: np.ndarray | None = None
    for rows in (f for f in frames if isinstance(f, Rows)):
        matrix = rows.vectors.copy() if rows.whole else matrix
        assert matrix is not None
        matrix[rows.token_ids] = rows.vectors
    assert matrix is not None
    return matrix


def test_a_folder_plays_what_was_recorded(tmp_path: Path) -> None:
    made = GrowingRun(tmp_path, size=30, dim=4)
    with made.writer:
        made.grow(90, rows=6)
        places = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
        with LayoutsWriter(made.folder.layouts_path) as writer:
            for step in (0, 10, 40, 80):
                writer.commit(Layout(1, step, time.time(), Method.UMAP, places))
        run = lamplighter.open(made.folder.path)
        frames = list(run.play(12, 70, channels=("pulse", "layout", "rows")))
        assert [type(f) for f in frames[:3]] == [Census, Layout, Rows]
        with StepsReader(made.folder.steps_path) as reader:
            assert [encode(f) for f in frames if isinstance(f, Pulse)] == [
                d for _, d in reader.pulses(13, 70)
            ]
        assert [f.step for f in frames if isinstance(f, Layout)] == [10, 40]
        np.testing.assert_array_equal(matrix_of(frames), made.history[70])
        half = [f for f in frames if f.step <= 33]
        np.testing.assert_array_equal(matrix_of(half), made.history[33])
        assert [f.step for f in run.play(channels="pulse")] == list(range(91))
        assert [f.step for f in run.play(90)] == [90, 80]
        # No file stays open between two frames.
        playing = run.play(channels="rows")
        next(playing)
        assert made.end(sealed=True)
        assert [f.step for f in playing] == list(range(1, 91))


def test_tiled_steps_are_played(tmp_path: Path) -> None:
    made = GrowingRun(tmp_path, size=60, dim=4, keyframe_every=100)
    with made.writer:
        for _ in range(4):
            made.grow(200, rows=8)
            with MatrixHistory(made.folder) as history, TilesWriter(made.folder.tiles_path) as tiles:
                while tile_next_stretch(history, tiles, over=False):
                    pass
        with StepsReader(made.folder.steps_path) as reader:
            # The trainer has dropped the moved rows of the first steps, which only the tiles hold now.
            assert reader.steps_with_rows(1, 800)[0] > 1
        matrix: np.ndarray | None = None
        for frame in lamplighter.open(made.folder.path).play(37, channels="rows"):
            assert isinstance(frame, Rows)
            matrix = frame.vectors.copy() if frame.whole else matrix
            assert matrix is not None
            matrix[frame.token_ids] = frame.vectors
            np.testing.assert_array_equal(matrix, made.history[frame.step])
        assert frame.step == 800


def test_a_new_attempt_begins_again(tmp_path: Path) -> None:
    made = GrowingRun(tmp_path, size=30, dim=4)
    with made.writer:
        made.grow(25, rows=6)
        run = lamplighter.open(made.folder.path)
        playing = run.play(0, 40, channels=("pulse", "rows"))
        heard = [next(playing) for _ in range(36)]
        assert heard[-1].step >= 15
        made.resume_from(13)
        made.grow(27, rows=6)
        heard += playing
        again = next(n for n, f in enumerate(heard) if n and isinstance(f, Census))
        assert (heard[again].attempt, heard[again].step) == (1, 13)
        assert [f.step for f in heard[again:] if isinstance(f, Pulse)] == list(range(14, 41))
        np.testing.assert_array_equal(matrix_of(heard), made.history[40])


def test_reports_unplayable_requests(tmp_path: Path) -> None:
    made = GrowingRun(tmp_path, size=30, dim=4)
    with made.writer:
        made.grow(5, rows=6)
        run = lamplighter.open(made.folder.path)
        with pytest.raises(lamplighter.InputError, match="any of pulse, layout, rows, not 'loss'"):
            run.play(channels=["loss"])
        for first, last in ((-1, 3), (4, 3), (6, None)):
            with pytest.raises(lamplighter.InputError, match="at least 0"):
                run.play(first, last)
        with pytest.raises(lamplighter.InputError, match="has not happened yet"):
            list(run.play(7, 9))
        # A shorter run is played as far as it goes.
        assert [f.step for f in run.play(3, 9, "pulse")] == [3, 4, 5]
