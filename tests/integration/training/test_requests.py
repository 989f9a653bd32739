"""Requests to a trainer before, during and after training, and their record."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamplighter.runfolder.reading.run_status import read_status, wants_training
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode
from lamplighter.wire.pulse_frames import Pulse
from tests.integration.training.worker_record import ask
from tests.support.runs import finish, kill, make_run, start_worker, wait_for_step
from tests.support.waiting import wait_until


def test_sigterm_leaves_a_run_that_can_resume(tmp_path: Path):
    run = make_run(tmp_path, steps=5_000)
    process = start_worker(run)
    wait_for_step(run, 10)
    process.terminate()
    assert finish(process) == 0
    assert read_status(run).phase == "running"
    assert wants_training(run)
    assert any(run.checkpoints.glob("*.safetensors"))


def test_pause_step_pace_and_resume_take_effect_and_are_recorded(tmp_path: Path):
    run = make_run(tmp_path, steps=100_000)
    process = start_worker(run)
    wait_for_step(run, 5)
    ask(run, "pause")
    wait_until(lambda: read_status(run).phase == "paused", "pause")
    at = read_status(run).step
    ask(run, "pace", steps_per_second=20)
    wait_until(lambda: read_status(run).pace_steps_per_second == 20, "a pace while it is paused")
    assert read_status(run).step == at
    ask(run, "step")
    wait_for_step(run, at + 1)
    ask(run, "pace", steps_per_second=10)
    wait_until(lambda: read_status(run).pace_steps_per_second == 10, "a pace after the one step")
    assert read_status(run).step == at + 1
    ask(run, "resume")
    ask(run, "learning_rate", value=0.001)
    ask(run, "stop")
    assert finish(process) == 0
    with StepsReader(run.steps_path) as reader:
        applied = reader.applied()
        rates = {decode(record).step: decode(record) for _, record in reader.pulses(1, 10_000_000, 100_000)}
    kinds = ["pause", "pace", "step", "pace", "resume", "learning_rate", "stop"]
    assert [entry.kind for entry in applied] == kinds
    assert applied[2].step == at + 1
    changed = applied[5].step
    for step, pulse in rates.items():
        assert isinstance(pulse, Pulse)
        assert pulse.learning_rate == pytest.approx(0.001 if step >= changed else 0.003)


def test_the_replay_repeats_a_change_of_the_learning_rate(tmp_path: Path):
    run = make_run(tmp_path, steps=400, cadence={"checkpoint_every": 1000})
    process = start_worker(run)
    wait_for_step(run, 10)
    ask(run, "learning_rate", value=0.0005)
    with_rate = lambda: any(e.kind == "learning_rate" for e in StepsReader(run.steps_path).events())  # noqa: E731
    wait_until(with_rate, "the learning rate")
    kill(process)
    assert finish(start_worker(run)) == 0
    assert read_status(run).attempt == 1


def test_a_pause_before_the_start_starts_the_run_paused(tmp_path: Path):
    run = make_run(tmp_path, steps=100)
    ask(run, "pause")
    process = start_worker(run)
    wait_until(lambda: read_status(run).phase == "paused", "pause")
    # The trainer's loop runs, but takes no step.
    ask(run, "pace", steps_per_second=1_000)
    wait_until(lambda: read_status(run).pace == "limited", "a pace while it is paused")
    assert read_status(run).step == 0
    ask(run, "resume")
    assert finish(process) == 0
    assert read_status(run).step == 100


def test_resuming_keeps_the_pace_and_ignores_a_second_continue(tmp_path: Path):
    run = make_run(tmp_path, steps=10)
    ask(run, "pace", steps_per_second=30)
    ask(run, "pause")
    ask(run, "resume")
    assert finish(start_worker(run)) == 0
    assert (read_status(run).pace, read_status(run).pace_steps_per_second) == ("limited", 30)
    ask(run, "continue", steps=5)
    ask(run, "continue", steps=5)
    assert finish(start_worker(run)) == 0
    assert read_status(run).step == 15
