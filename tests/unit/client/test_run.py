from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

import lamplighter
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.wire.layout_frames import Layout, Method
from tests.support.synthetic_runs.growing_run import GrowingRun


def test_every_step_and_every_path_is_as_it_was(tmp_path: Path) -> None:
    made = GrowingRun(tmp_path, size=30, dim=4)
    with made.writer:
        made.grow(137, rows=6)
        with lamplighter.open(made.folder.path) as run:
            assert [pulse.step for pulse in run.steps()] == list(range(1, 138))
            assert [pulse.step for pulse in run.steps(70, 72)] == [70, 71, 72]
            np.testing.assert_array_equal(run.snapshot_steps(), np.arange(138))
            for step in (0, 1, 10, 77, 137):
                np.testing.assert_array_equal(run.snapshot(step), made.history[step])
            np.testing.assert_array_equal(run.snapshot(), made.vectors)
            for token in ("word7", 29):
                steps, vectors = run.path(token)
                np.testing.assert_array_equal(steps, np.arange(138))
                row = run.token_id(token)
                np.testing.assert_array_equal(vectors, [made.history[s][row] for s in range(138)])
            assert (run.status.step, run.status.phase, len(run.tokens)) == (137, "running", 30)


def test_a_new_attempt_goes_another_way(tmp_path: Path) -> None:
    made = GrowingRun(tmp_path, size=30, dim=4)
    with made.writer:
        made.grow(25, rows=6)
        made.resume_from(13)
        made.grow(20, rows=6)
        run = lamplighter.open(str(made.folder.path))
        assert [p.attempt for p in run.steps()] == [1] * 13 + [2] * 20
        for row in (0, 11):
            steps, vectors = run.path(row)
            np.testing.assert_array_equal(vectors, [made.history[int(s)][row] for s in steps])
        assert len(run.snapshot_steps()) == 34


def test_where_rows_are_not_kept_there_are_the_keyframes(tmp_path: Path) -> None:
    made = GrowingRun(tmp_path, size=30, dim=4, dense=True)
    with made.writer:
        made.grow(25)
        run = lamplighter.open(made.folder.path)
        np.testing.assert_array_equal(run.snapshot_steps(), [0, 10, 20])
        steps, vectors = run.path("word3")
        np.testing.assert_array_equal(vectors, [made.history[int(s)][3] for s in steps])
        np.testing.assert_array_equal(steps, [0, 10, 20])
        with pytest.raises(lamplighter.NoSnapshotError, match="is 20") as refused:
            run.snapshot(24)
        assert refused.value.nearest == 20
        with pytest.raises(lamplighter.NoSnapshotError):
            run.snapshot(26)
        np.testing.assert_array_equal(run.snapshot(), made.history[20])


def test_layouts_measures_and_events(tmp_path: Path) -> None:
    made = GrowingRun(tmp_path, size=30, dim=4)
    with made.writer:
        made.grow(12)
        made.writer.add_event(3, "learning_rate", "less")
        run = lamplighter.open(made.folder.path)
        assert run.measures() == {}
        with pytest.raises(lamplighter.NoLayoutError, match="no umap layout yet"):
            run.layout()
        places = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
        with LayoutsWriter(made.folder.layouts_path) as writer:
            for attempt, step in ((1, 0), (1, 10), (2, 11)):
                writer.commit(Layout(attempt, step, time.time(), Method.UMAP, places))
        with MeasuresWriter(made.folder.measures_path) as measured:
            measured.commit(1, 10, {"coverage": 0.5})
        assert (run.layout().step, run.layout(9).step) == (10, 0)
        np.testing.assert_allclose(run.layout(10).coordinates, places, atol=1e-3)
        with pytest.raises(lamplighter.NoLayoutError, match="linear layout at or before step 3"):
            run.layout(3, "linear")
        assert run.measures() == {10: {"coverage": 0.5}}
        assert [(e.kind, e.step) for e in run.events()] == [("learning_rate", 3)]


def test_faults_are_said_clearly(tmp_path: Path) -> None:
    made = GrowingRun(tmp_path, size=30, dim=4)
    with made.writer:
        run = lamplighter.open(made.folder.path)
        with pytest.raises(lamplighter.NoSuchTokenError, match="'nobody' is not a token"):
            run.path("nobody")
        with pytest.raises(lamplighter.NoSuchTokenError, match="from 0 to 29"):
            run.path(30)
    with pytest.raises(lamplighter.FormatError, match=r"recipe\.json: No such file"):
        lamplighter.open(tmp_path)
    with pytest.raises(lamplighter.FormatError, match=r"there is no run in .*nowhere': no such folder"):
        lamplighter.open(tmp_path / "nowhere")
    made.folder.steps_path.write_bytes(b"no database" * 100)
    with pytest.raises(lamplighter.FormatError, match=r"steps\.sqlite"):
        list(run.steps())
