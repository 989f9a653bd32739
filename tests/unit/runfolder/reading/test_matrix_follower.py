from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamplighter.runfolder.reading.matrix_follower import MatrixFollower
from lamplighter.runfolder.tables.steps_reader import StepsReader
from tests.support.synthetic_runs.growing_run import GrowingRun


@given(actions=st.lists(st.integers(-12, 30), min_size=1, max_size=8), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_holds_the_newest_matrix_bit_for_bit(
    actions: list[int], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A positive action adds that many steps; a negative one goes back that far and starts an attempt."""
    run = GrowingRun(tmp_path_factory.mktemp("runs"), size=12, dim=4, keyframe_every=7, seed=seed)
    follower = MatrixFollower(run.folder)
    with run.writer, StepsReader(run.folder.steps_path) as reader:
        assert follower.advance(reader)
        for action in actions:
            if action < 0:
                run.resume_from(max(0, run.at + action))
            run.grow(abs(action), rows=3)
            assert follower.advance(reader) == (action != 0)
            assert (follower.step, reader.lineage().newest_attempt) == (run.at, run.writer.attempt)
            np.testing.assert_array_equal(follower.vectors, run.vectors)
            assert not follower.advance(reader)


def test_abandons_a_superseded_step(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=12, dim=4)
    run.grow(25)
    follower = MatrixFollower(run.folder)
    with run.writer, StepsReader(run.folder.steps_path) as reader:
        follower.advance(reader)
        assert (follower.attempt, follower.step) == (1, 25)
        run.resume_from(18)
        assert follower.advance(reader)
        assert (follower.attempt, follower.step) == (1, 18)
        np.testing.assert_array_equal(follower.vectors, run.history[18])


def test_follows_keyframes_without_rows(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=12, dim=4, dense=True)
    follower = MatrixFollower(run.folder)
    with run.writer, StepsReader(run.folder.steps_path) as reader:
        run.grow(9)
        assert follower.advance(reader)
        assert follower.step == 0
        run.grow(4)
        assert follower.advance(reader)
        assert follower.step == 10
        np.testing.assert_array_equal(follower.vectors, run.history[10])


def test_stops_at_a_step_and_goes_back(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=12, dim=4)
    run.grow(95)
    follower = MatrixFollower(run.folder)
    with run.writer, StepsReader(run.folder.steps_path) as reader:
        for step in (93, 41, 40, 95):
            assert follower.advance(reader, to=step)
            assert follower.step == step
            np.testing.assert_array_equal(follower.vectors, run.history[step])


def test_survives_reopening(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=12, dim=4)
    follower = MatrixFollower(run.folder)
    with run.writer:
        for steps in (3, 20, 5):
            run.grow(steps)
            with StepsReader(run.folder.steps_path) as reader:
                assert follower.advance(reader)
            np.testing.assert_array_equal(follower.vectors, run.vectors)
