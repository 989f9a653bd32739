"""A recorded loop in numpy; `integration/client` tests loops in torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamplighter
from lamplighter.runfolder.reading.run_status import read_status, wants_training
from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.role_lock import RoleState, RoleTakenError, role_state
from lamplighter.runfolder.tables.steps_reader import StepsReader

V, D = 20, 4
TOKENS = [f"word{i}" for i in range(V)]


def matrix(seed: int = 0) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(seed).normal(size=(V, D)).astype(np.float32)


def test_sparse_steps_rebuild_bit_for_bit(tmp_path: Path) -> None:
    weights, choose = matrix(), np.random.default_rng(1)
    weights[3] = 0.0
    kept = [weights.copy()]
    with lamplighter.record(
        tmp_path / "mine", TOKENS, embedding=weights, keyframe_every=7, steps=40
    ) as recorder:
        for step in range(1, 41):
            ids = choose.integers(0, V, size=(2, 3))
            weights[np.unique(ids)] *= np.float32(0.9)
            if step == 5:
                weights[3] = -0.0  # Different bits at distance zero.
            recorder.step(weights, ids, 1 / step, learning_rate=0.1)
            kept.append(weights.copy())
        assert role_state(tmp_path / "mine", "trainer") is RoleState.HELD
        assert not wants_training(recorder.run)  # pyright: ignore[reportArgumentType]
    run = lamplighter.open(tmp_path / "mine")
    np.testing.assert_array_equal(run.snapshot_steps(), np.arange(41))
    for step, wanted in enumerate(kept):
        assert run.snapshot(step).tobytes() == wanted.tobytes()
    assert run.path("word3").vectors.tobytes() == np.stack(kept)[:, 3].tobytes()
    status = run.status
    assert (status.phase, status.step, status.steps, status.alive) == ("finished", 40, 40, False)
    assert not wants_training(recorder.run)  # pyright: ignore[reportArgumentType]
    with StepsReader(tmp_path / "mine" / "steps.sqlite") as reader:
        counted = read_touches(reader, 40)
    lit = [pulse.batch_ids for pulse in run.steps()]
    np.testing.assert_array_equal(counted.touches, np.bincount(np.concatenate(lit), minlength=V))


def test_dense_steps_keep_keyframes_and_the_last(tmp_path: Path) -> None:
    weights = np.repeat(matrix(), 900, axis=1)
    with lamplighter.record(tmp_path / "mine", TOKENS, embedding=weights, keyframe_every=5) as recorder:
        kept = [weights.copy()]
        for _ in range(13):
            weights = weights * np.float32(0.9)
            recorder.step(weights, [1, 2], 1.0)
            kept.append(weights)
        assert recorder.run is not None
        assert read_status(recorder.run).steps == 100
    run = lamplighter.open(tmp_path / "mine")
    np.testing.assert_array_equal(run.snapshot_steps(), [0, 5, 10, 13])
    np.testing.assert_array_equal(run.snapshot(13), kept[13])
    assert {len(pulse.moved_ids) for pulse in run.steps()} == {V}
    assert run.status.steps == 13


def test_a_loop_seen_from_its_first_step_on(tmp_path: Path) -> None:
    weights = matrix()
    with lamplighter.record(tmp_path / "mine", TOKENS) as recorder:
        assert not (tmp_path / "mine").exists()
        for _ in range(3):
            weights[4] += 1
            recorder.step(weights, [4], 1.0)
    run = lamplighter.open(tmp_path / "mine")
    np.testing.assert_array_equal(run.snapshot_steps(), [1, 2, 3])
    assert [(len(p.moved_ids), p.verified) for p in run.steps()] == [(0, False), (1, True), (1, True)]
    np.testing.assert_array_equal(run.snapshot(), weights)


def test_an_exception_interrupts_the_run_and_goes_on(tmp_path: Path) -> None:
    weights = matrix()

    def train() -> None:
        with lamplighter.record(tmp_path / "mine", TOKENS, embedding=weights) as recorder:
            recorder.step(weights, [1], 1.0)
            raise ZeroDivisionError("the loop's own fault")

    with pytest.raises(ZeroDivisionError):
        train()
    status = lamplighter.open(tmp_path / "mine").status
    assert (status.phase, status.alive) == ("interrupted", False)
    assert status.message == "the loop stopped after step 1: ZeroDivisionError: the loop's own fault"


def test_numbers_that_ran_away_are_recorded_as_they_are(tmp_path: Path) -> None:
    weights = matrix()
    with lamplighter.record(tmp_path / "mine", TOKENS, embedding=weights) as recorder:
        weights[2] = np.nan
        recorder.step(weights, [2], float("inf"), gradient=weights)
        weights[1] = 1e38
        recorder.step(weights, [2], 1e300)
    run = lamplighter.open(tmp_path / "mine")
    assert run.snapshot(2).tobytes() == weights.tobytes()
    # A row of NaN keeps its bits, so it has not moved.
    assert [p.moved_ids.tolist() for p in run.steps()] == [[2], [1]]


def test_after_a_step_cut_short_the_next_keeps_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = matrix()
    with lamplighter.record(tmp_path / "mine", TOKENS, embedding=weights, on_error="raise") as recorder:
        weights[1] += 1
        with monkeypatch.context() as patch:
            patch.setattr("lamplighter.client.recording.step_recording.MeasuredStep", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                recorder.step(weights, [1], 1.0)
        weights[2] += 1
        recorder.step(weights, [2], 1.0)
    run = lamplighter.open(tmp_path / "mine")
    np.testing.assert_array_equal(run.snapshot(1), weights)
    assert run.status.step == 1
    with StepsReader(tmp_path / "mine" / "steps.sqlite") as reader:
        assert read_touches(reader, 1).touches[:3].tolist() == [0, 0, 1]


def test_rejects_mismatched_input_and_leaves_nothing(tmp_path: Path) -> None:
    weights = matrix()
    with pytest.raises(lamplighter.InputError, match="20 rows and the vocabulary 3"):
        lamplighter.record(tmp_path / "mine", list("abc"), embedding=weights)
    with pytest.raises(lamplighter.InputError, match="keyframe_every"):
        lamplighter.record(tmp_path / "mine", TOKENS, keyframe_every=0)
    with pytest.raises(lamplighter.InputError, match="cannot be shown"):
        lamplighter.record(tmp_path / "mine", TOKENS, embedding=weights[:, :1])
    with pytest.raises(lamplighter.InputError, match="must be a matrix"):
        lamplighter.record(tmp_path / "mine", TOKENS, embedding=weights[0])
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    with pytest.raises(FileExistsError, match="not an empty folder"):
        lamplighter.record(tmp_path / "full", TOKENS)
    (tmp_path / "empty").mkdir()
    with lamplighter.record(tmp_path / "empty", TOKENS, embedding=weights, on_error="raise") as recorder:
        for ids, what in (([-1], "-1 is no"), ([20], "20 is no"), ([0.5], "whole numbers")):
            with pytest.raises(lamplighter.InputError, match=what):
                recorder.step(weights, ids, 1.0)
        with pytest.raises(lamplighter.InputError, match="was 20 x 4 and is now 20 x 2"):
            recorder.step(weights[:, :2], [1], 1.0)
        with pytest.raises(lamplighter.InputError, match="gradient"):
            recorder.step(weights, [1], 1.0, gradient=weights[:3])
        with pytest.raises((FileExistsError, RoleTakenError)):
            lamplighter.record(tmp_path / "empty", TOKENS, embedding=weights)
        assert recorder.at == 0
    with pytest.raises(lamplighter.InputError, match="closed"):
        recorder.step(weights, [1], 1.0)
