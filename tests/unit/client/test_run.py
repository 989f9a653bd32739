"""`run.difference(other)`: the difference between two folders, from Python.

Numbers that a loop logs, read from its run alone.
A set from Python and on the command line: members are pooled that differ in nothing but the seed.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import lamplighter
from lamplighter.analysis.analyst import tile_next_stretch
from lamplighter.cli.app import cli
from lamplighter.client.errors import InputError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_set import GridAxis
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.runfolder.tables.scalars import encode_scalars
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.tables.tiles import TilesWriter
from lamplighter.wire.frames import Frame, encode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows
from tests.support.folders import make_run
from tests.support.swept import recorded_set
from tests.support.synthetic_runs.compared_runs import fork_of, trained_parent
from tests.support.synthetic_runs.growing_run import GrowingRun


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


def test_a_fork_from_python(tmp_path: Path) -> None:
    parent = trained_parent(tmp_path)
    fork = fork_of(parent, 10).train(12)
    run, other = lamplighter.open(fork.run.path), lamplighter.open(parent.run.path)
    found = run.difference(other, np.int64(7))
    assert (found.steps.step, found.steps.other_step) == (7, 17)
    np.testing.assert_allclose(
        found.rows.raw(), np.linalg.norm(run.snapshot(7) - other.snapshot(17), axis=1), rtol=1e-6
    )
    assert found.first is not None
    assert found.first.step is None
    assert run.difference(parent.run.path, 5, other_step=3).steps.other_step == 3
    with pytest.raises(lamplighter.InputError, match="whole number"):
        run.difference(other, 1.5)  # pyright: ignore[reportArgumentType]
    with pytest.raises(lamplighter.InputError, match="has not begun"):
        run.difference(make_run(RunStore(tmp_path)).path)
    for trainer in (parent, fork):
        trainer.crash()


def test_they_need_no_server(tmp_path: Path) -> None:
    weights = np.zeros((3, 2), np.float32)
    with lamplighter.record(tmp_path / "mine", list("abc"), embedding=weights) as recorder:
        run = lamplighter.open(recorder.folder)
        assert run.logged() == {}
        for step in range(1, 5):
            weights += 1
            recorder.step(weights, [1], float(step))
            if step % 2 == 0:
                recorder.add_scalars(encode_scalars({"eval/loss": step / 4}) or "")
        assert run.logged() == {2: {"eval/loss": 0.5}, 4: {"eval/loss": 1.0}}
        assert run.measures() == {}


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


RATE = "optimiser.learning_rate"
RATES = GridAxis(field=RATE, values=[0.001, 0.01])


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of three seeds of two settings; the last member has not begun."""
    return recorded_set(tmp_path_factory.mktemp("runs"), 35, RATES).path


def test_a_grid_is_read_by_setting(grid: Path) -> None:
    opened = lamplighter.open_set(grid)
    assert opened.combinations == [{RATE: 0.001}, {RATE: 0.01}]
    for rate, expected in ((0.001, [0, 2, 4]), (0.01, [1, 3, 5])):
        band = opened.curves(["loss"], of={RATE: rate})["loss"]
        assert band.runs == [opened.members[number].id for number in expected]
        # Each member's loss is higher by its number, and the last one of all has none.
        losses = [line[-1] for line in band.lines if np.isfinite(line[-1])]
        assert len(losses) == (3 if rate == 0.001 else 2)
        assert band.median[-1] == pytest.approx(np.median(losses))
        counted = opened.claims(of={RATE: rate})[5]
        assert [one.run for one in counted.members] == band.runs[: len(losses)]
        assert sum(counted.states.values()) == len(losses)


@pytest.mark.parametrize("of", [None, {}, {RATE: 3.0}, {"seed": 0}, {"model.dim": 64}])
def test_members_that_differ_in_more_than_the_seed_are_not_pooled(
    grid: Path, of: dict[str, float] | None
) -> None:
    opened = lamplighter.open_set(grid)
    with pytest.raises(InputError, match=RATE):
        opened.curves(["loss"], of=of)
    with pytest.raises(InputError, match=RATE):
        opened.claims(of=of)


def test_seeds_alone_need_no_name(tmp_path: Path) -> None:
    opened = lamplighter.open_set(recorded_set(tmp_path).path)
    assert opened.combinations == [{}]
    assert opened.curves(["loss"])["loss"].lines.shape[0] == 3
    six = opened.claims()[5]
    assert (six.states["conditional"], six.measured) == (2, 2)
    assert (six.low, six.high) == pytest.approx((0.0, 0.6576), abs=1e-3)


def test_the_command_tells_each_setting_apart(grid: Path) -> None:
    def typed(*words: str) -> str:
        return CliRunner().invoke(cli, ["--runs", str(grid.parent), "claims", grid.name, *words]).stdout

    lines = typed().splitlines()
    assert [line for line in lines if line.endswith(":")] == ["learning_rate 0.001:", "learning_rate 0.01:"]
    counts = [line for line in lines if line.startswith(" 6  ")]
    assert ["of 3 (" in counts[0], "of 2 (" in counts[1]] == [True, True]
    # Not measured is not refuted.
    assert [line for line in lines if line.startswith(" 5  ")] == [
        " 5  not measured yet  Predict, compare, correct"
    ] * 2
    assert lines[-1].endswith("-5: unfinished")
    told = json.loads(typed("--json"))
    assert [one["settings"] for one in told["items"] if one["number"] == 6] == [{RATE: 0.001}, {RATE: 0.01}]
    assert [one["measured"] for one in told["items"] if one["number"] == 6] == [3, 2]
    assert [one["reason"] for one in told["unanswered"]] == ["unfinished"]
