"""The steps that the map draws before the newest, and the limit of their delay."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lamplighter.projection.projector_process import MAX_STEPS, MissedSteps, spaced_steps
from lamplighter.runfolder.tables.steps_reader import StepsReader
from tests.support.synthetic_runs.growing_run import GrowingRun


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def drawn(run: GrowingRun, missed: MissedSteps, newest: int, clock: Clock, frame: float = 0.0) -> list[int]:
    """Return the steps drawn before the newest, if each frame takes `frame` seconds."""
    steps: list[int] = []
    with StepsReader(run.folder.steps_path) as reader:
        while (matrix := missed.next_matrix(reader, newest)) is not None:
            np.testing.assert_array_equal(matrix.vectors, run.history[matrix.step])
            steps.append(matrix.step)
            clock.now += frame
    return steps


def test_draws_the_first_matrix_then_some_steps_in_order(tmp_path: Path) -> None:
    run, clock = GrowingRun(tmp_path, size=20), Clock()
    run.grow(87)
    steps = drawn(run, MissedSteps(run.folder, clock=clock), 87, clock)
    assert steps[0] == 0
    assert steps[-1] == 87
    assert len(steps) == 1 + MAX_STEPS
    # Evenly: gaps differ by at most one step.
    assert set(np.diff(steps)) == {4, 5}
    run.writer.close()


def test_draws_all_of_a_few_steps(tmp_path: Path) -> None:
    run, clock = GrowingRun(tmp_path, size=20), Clock()
    missed = MissedSteps(run.folder, clock=clock)
    with StepsReader(run.folder.steps_path) as reader:
        first = missed.next_matrix(reader, 0)
        assert first is not None
        assert first.step == 0
        # Steps that pass during drawing are missed too.
        run.grow(3)
    assert drawn(run, missed, 3, clock) == [1, 2, 3]
    run.writer.close()


def test_delays_the_newest_by_a_bounded_time(tmp_path: Path) -> None:
    run, clock = GrowingRun(tmp_path, size=20), Clock()
    run.grow(80)
    missed = MissedSteps(run.folder, seconds=1.0, clock=clock)
    # The first layout may take any time, since the newest step would have to wait for its own too.
    with StepsReader(run.folder.steps_path) as reader:
        missed.next_matrix(reader, 80)
    clock.now += 60
    begun = clock.now
    steps = drawn(run, missed, 80, clock, frame=0.3)
    assert steps == [4, 8, 12]
    assert clock.now - begun <= 1.0
    run.writer.close()


def test_draws_each_keyframe_once_without_rows(tmp_path: Path) -> None:
    run, clock = GrowingRun(tmp_path, size=20, dense=True, keyframe_every=20), Clock()
    run.grow(65)
    assert drawn(run, MissedSteps(run.folder, clock=clock), 60, clock) == [0, 20, 40, 60]
    run.writer.close()


def test_a_new_attempt_begins_with_the_same_matrix(tmp_path: Path) -> None:
    run, clock = GrowingRun(tmp_path, size=20), Clock()
    run.grow(30)
    missed = MissedSteps(run.folder, clock=clock)
    with StepsReader(run.folder.steps_path) as reader:
        missed.next_matrix(reader, 30)
        run.resume_from(12)
        run.grow(5)
    assert drawn(run, missed, 17, clock) == list(range(1, 18))
    run.writer.close()


def test_spaced_steps() -> None:
    assert spaced_steps(0, 0) == []
    assert spaced_steps(0, 2) == [1, 2]
    assert spaced_steps(0, 2000) == list(range(100, 2001, 100))
