"""A run that cannot continue unchanged: different numbers, invalid numbers, or another attempt."""

from __future__ import annotations

import signal
from pathlib import Path

import apsw
import numpy as np
import psutil
import pytest

from lamplighter.model.checkpoint import checkpoint_name
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode
from tests.integration.training.worker_record import ask, digests
from tests.support.runs import finish, kill, make_run, start_worker, wait_for_step
from tests.support.waiting import wait_until


def test_a_replay_with_different_numbers_starts_an_attempt(tmp_path: Path):
    # The window between the checkpoints at 150 and at the end is wide enough for a slow machine.
    cadence = {"keyframe_every": 20, "checkpoint_every": 150, "verify_every": 10}
    run = make_run(tmp_path, steps=600, cadence=cadence)
    process = start_worker(run)
    wait_for_step(run, 160)
    kill(process)
    last = read_status(run).step
    connection = apsw.Connection(str(run.steps_path))
    connection.execute("UPDATE pulses SET digest=x'00' WHERE id & 0xffffffff = 151")
    connection.close()
    assert finish(start_worker(run)) == 0
    with StepsReader(run.steps_path) as reader:
        assert [(a, first) for a, first, _ in reader.lineage().ranges] == [(1, 0), (2, 151)]
        steps = [step for step, _ in reader.pulses(1, 10_000)]
        attempts = [decode(record).attempt for _, record in reader.pulses(1, 10_000)]
        assert [event.kind for event in reader.events()].count("attempt") == 1
    assert steps == list(range(1, 601))
    assert attempts == [1] * 150 + [2] * 450
    assert 160 <= last < 300


def test_a_loss_that_is_not_finite_fails_the_run_and_keeps_its_record(tmp_path: Path):
    run = make_run(tmp_path, steps=2_000, optimiser={"kind": "sgd", "learning_rate": 10, "clip_norm": 1e30})
    assert finish(start_worker(run)) == 4
    status = read_status(run)
    assert status.phase == "failed"
    assert "no longer a finite number" in status.message
    assert "lower learning rate" in status.message
    with MatrixHistory(run) as history:
        assert np.isfinite(history.snapshot(status.step).vectors).all()
        assert len(history.steps.pulses(1, 10_000)) == status.step


def test_a_failed_run_continues_from_an_earlier_checkpoint_at_a_lower_learning_rate(tmp_path: Path):
    cadence = {"checkpoint_every": 3, "keyframe_every": 20}
    run = make_run(
        tmp_path, steps=60, cadence=cadence, optimiser={"kind": "sgd", "learning_rate": 10, "clip_norm": 1e30}
    )
    assert finish(start_worker(run)) == 4
    failed_after = read_status(run).step
    # At the same learning rate it fails at the same step again.
    ask(run, "continue", steps=0)
    assert finish(start_worker(run)) == 4
    assert (read_status(run).step, read_status(run).attempt) == (failed_after, 1)
    ask(run, "continue", steps=0, learning_rate=1e-9)
    process = start_worker(run)
    wait_for_step(run, failed_after + 2)
    kill(process)
    # The replay uses the learning rate with which the second attempt began.
    assert finish(start_worker(run)) == 0
    assert (read_status(run).step, read_status(run).attempt) == (60, 2)
    with StepsReader(run.steps_path) as reader:
        began = reader.lineage().ranges[1].first
        rates = {step: decode(record).learning_rate for step, record in reader.pulses(1, 60)}
    assert began <= failed_after
    assert rates[began - 1] == pytest.approx(10)
    assert rates[began] == pytest.approx(1e-9)
    # Steps recomputed from here use the learning rate of the second attempt.
    assert (run.waypoints / checkpoint_name(began - 1, 2)).exists()


@pytest.mark.parametrize(("how", "phase"), [(signal.SIGTERM, "running"), (signal.SIGINT, "interrupted")])
def test_a_stop_during_the_replay_saves_no_checkpoint(tmp_path: Path, how: int, phase: str):
    """The model is then behind the record, so a checkpoint of it would belong to no step."""
    run = make_run(tmp_path, steps=100_000, cadence={"checkpoint_every": 100_000})
    process = start_worker(run)
    wait_for_step(run, 500)
    kill(process)
    before = digests(run)
    process = start_worker(run)
    wait_until(lambda: read_status(run).alive, "the second trainer")
    # Signals are handled from the start; the replay of 500 steps takes several times as much.
    wait_until(lambda: psutil.Process(process.pid).cpu_times().user > 0.25, "the replay")
    process.send_signal(how)
    assert finish(process) == 0
    assert read_status(run).phase == phase
    assert not list(run.checkpoints.glob("*.safetensors"))
    ask(run, "continue", steps=0)
    process = start_worker(run)
    wait_for_step(run, max(before) + 5, 90)
    kill(process)
    assert read_status(run).attempt == 1
    after = digests(run)
    assert {step: after[step] for step in before} == before


def test_does_not_load_checkpoints_of_superseded_steps(tmp_path: Path):
    run = make_run(tmp_path, steps=1_000_000)
    process = start_worker(run)
    wait_for_step(run, 110)
    kill(process)
    old = sorted(run.checkpoints.glob("*.safetensors"))
    connection = apsw.Connection(str(run.steps_path))
    # Pretend that a second attempt recomputed the steps from 60 and reached 70.
    connection.execute("INSERT INTO attempts VALUES(2, 60, 0)")
    connection.execute(
        "INSERT INTO pulses SELECT (2<<32)|(id & 0xffffffff), x'00', record FROM pulses"
        " WHERE id & 0xffffffff BETWEEN 60 AND 70"
    )
    connection.close()
    process = start_worker(run)
    wait_for_step(run, 130)
    kill(process)
    assert not any(path.exists() for path in old)
    last = read_status(run).step
    with MatrixHistory(run) as history:
        assert [step for step, _ in history.steps.pulses(1, last, last)] == list(range(1, last + 1))
        assert history.snapshot(last).step == last
