"""The trainer as a process: killed, stopped, paused, continued or failing; and the folder it leaves."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import apsw
import numpy as np
import psutil
import pytest
import torch

from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.checkpoint import checkpoint_name
from lamplighter.model.learner import build_learner
from lamplighter.model.step import train_step
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status, wants_training
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import RequestsWriter, ask_to_hold
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode
from lamplighter.wire.pulse_frames import Pulse
from tests.runs import (
    finish,
    kill,
    make_run,
    small_recipe,
    small_text,
    start_worker,
    wait_for_step,
    wait_until,
)


def digests(run: RunFolder) -> dict[int, bytes]:
    with StepsReader(run.steps_path) as reader:
        return reader.digests(1, reader.newest_step()[1])


def ask(run: RunFolder, kind: str, **body: object) -> None:
    RequestsWriter(run.path, "test").add(kind, body)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Train the recipe that every run here uses, undisturbed."""
    run = make_run(tmp_path_factory.mktemp("reference"), steps=200)
    assert finish(start_worker(run)) == 0
    return run


def test_a_run_ends_where_its_recipe_says_and_holds_every_step(reference: RunFolder):
    status = read_status(reference)
    assert (status.phase, status.step, status.alive) == ("finished", 200, False)
    with StepsReader(reference.steps_path) as reader:
        pulses = [decode(record) for _, record in reader.pulses(1, 10_000)]
        events = [event.kind for event in reader.events()]
    assert [pulse.step for pulse in pulses] == list(range(1, 201))
    assert events == ["started", "finished"]
    losses = [pulse.loss for pulse in pulses if isinstance(pulse, Pulse)]
    assert np.mean(losses[-20:]) < np.mean(losses[:20]) - 0.5


def test_every_step_rebuilds_bit_for_bit(reference: RunFolder):
    device = torch.device("cpu")
    learner = build_learner(reference.recipe, len(reference.vocabulary), device)
    batches = BatchReader(reference.recipe, reference.token_ids, device)
    with MatrixHistory(reference) as history:
        for step in range(41):
            if step:
                train_step(learner, *batches.batch(step)[1:])
            matrix = learner.model.embedding.weight.detach().numpy()
            assert np.array_equal(history.snapshot(step).vectors, matrix)


def test_a_run_that_waited_for_its_map_is_the_same_run(tmp_path: Path, reference: RunFolder):
    store = RunStore(tmp_path)
    run = store.create(small_recipe(steps=200), small_text(), lambda folder: ask_to_hold(folder, "test", 600))
    process = start_worker(run)
    wait_until(lambda: read_status(run).hold, "the run to stand before its first step")
    kill(process)
    hold = read_status(run).hold
    process = start_worker(run)
    wait_until(lambda: read_status(run).alive, "the next trainer")
    time.sleep(0.3)
    status = read_status(run)
    assert (status.phase, status.step, status.hold) == ("running", 0, hold)
    ask(run, "begin")
    assert finish(process) == 0
    assert digests(run) == digests(reference)


def test_killed_twice_it_resumes_by_replay_and_nothing_differs(tmp_path: Path, reference: RunFolder):
    run = make_run(tmp_path, steps=200)
    for at in (30, 90):
        process = start_worker(run)
        wait_for_step(run, at)
        kill(process)
        assert read_status(run).phase == "running"
        assert not read_status(run).alive
    assert finish(start_worker(run)) == 0
    assert read_status(run).attempt == 1
    assert digests(run) == digests(reference)


def test_replay_that_gives_other_numbers_opens_an_attempt_and_supersedes_the_old_tail(tmp_path: Path):
    # The window between the checkpoints at 150 and at the end is wide enough for a machine that looks late.
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


def test_ctrl_c_finishes_the_step_and_the_run_can_be_continued(tmp_path: Path, reference: RunFolder):
    run = make_run(tmp_path, steps=200)
    process = start_worker(run)
    wait_for_step(run, 20)
    process.send_signal(signal.SIGINT)
    assert finish(process) == 0
    stopped = read_status(run)
    assert stopped.phase == "interrupted"
    assert not wants_training(run)
    ask(run, "continue", steps=0)
    assert wants_training(run)
    assert finish(start_worker(run)) == 0
    assert digests(run) == digests(reference)


def test_sigterm_leaves_the_run_to_be_taken_up_again(tmp_path: Path):
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
    time.sleep(0.3)
    assert read_status(run).step == at
    ask(run, "step")
    wait_for_step(run, at + 1)
    time.sleep(0.2)
    assert read_status(run).step == at + 1
    ask(run, "resume")
    ask(run, "pace", steps_per_second=10)
    wait_until(lambda: read_status(run).pace == "limited", "the pace")
    ask(run, "learning_rate", value=0.001)
    ask(run, "stop")
    assert finish(process) == 0
    with StepsReader(run.steps_path) as reader:
        applied = reader.applied()
        rates = {decode(record).step: decode(record) for _, record in reader.pulses(1, 10_000_000, 100_000)}
    assert [entry.kind for entry in applied] == ["pause", "step", "resume", "pace", "learning_rate", "stop"]
    assert applied[1].step == at + 1
    changed = applied[4].step
    for step, pulse in rates.items():
        assert isinstance(pulse, Pulse)
        assert pulse.learning_rate == pytest.approx(0.001 if step >= changed else 0.003)


def test_a_learning_rate_changed_before_a_crash_is_changed_again_in_the_replay(tmp_path: Path):
    run = make_run(tmp_path, steps=400, cadence={"checkpoint_every": 1000})
    process = start_worker(run)
    wait_for_step(run, 10)
    ask(run, "learning_rate", value=0.0005)
    with_rate = lambda: any(e.kind == "learning_rate" for e in StepsReader(run.steps_path).events())  # noqa: E731
    wait_until(with_rate, "the learning rate")
    kill(process)
    assert finish(start_worker(run)) == 0
    assert read_status(run).attempt == 1


def test_numbers_that_are_not_finite_stop_the_run_with_its_record_intact(tmp_path: Path):
    run = make_run(tmp_path, steps=2_000, optimiser={"kind": "sgd", "learning_rate": 10, "clip_norm": 1e30})
    assert finish(start_worker(run)) == 4
    status = read_status(run)
    assert status.phase == "failed"
    assert "no longer a finite number" in status.message
    assert "lower learning rate" in status.message
    with MatrixHistory(run) as history:
        assert np.isfinite(history.snapshot(status.step).vectors).all()
        assert len(history.steps.pulses(1, 10_000)) == status.step


def test_a_failed_run_goes_on_from_an_earlier_checkpoint_at_a_lower_learning_rate(tmp_path: Path):
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
    # What is computed again from here takes the learning rate of the second attempt.
    assert (run.waypoints / checkpoint_name(began - 1, 2)).exists()


@pytest.mark.parametrize(("how", "phase"), [(signal.SIGTERM, "running"), (signal.SIGINT, "interrupted")])
def test_stopped_while_it_replays_it_keeps_nothing_of_the_half_way(tmp_path: Path, how: int, phase: str):
    """The model is then at an earlier step than the record, so a checkpoint of it would belong to no step."""
    run = make_run(tmp_path, steps=100_000, cadence={"checkpoint_every": 100_000})
    process = start_worker(run)
    wait_for_step(run, 500)
    kill(process)
    before = digests(run)
    process = start_worker(run)
    wait_until(lambda: read_status(run).alive, "the second trainer")
    # Signals are handled from the first line on; the replay of 500 steps takes several times as much.
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


def test_a_damaged_checkpoint_is_passed_over_for_an_older_one(tmp_path: Path, reference: RunFolder):
    run = make_run(tmp_path, steps=200)
    process = start_worker(run)
    wait_for_step(run, 80)
    kill(process)
    newest = max(run.checkpoints.glob("*.safetensors"))
    newest.write_bytes(newest.read_bytes()[:100])
    assert finish(start_worker(run)) == 0
    assert digests(run) == digests(reference)
    with StepsReader(run.steps_path) as reader:
        assert any(event.kind == "checkpoint" for event in reader.events())


def test_checkpoints_of_a_superseded_tail_are_not_taken_up(tmp_path: Path):
    run = make_run(tmp_path, steps=1_000_000)
    process = start_worker(run)
    wait_for_step(run, 110)
    kill(process)
    old = sorted(run.checkpoints.glob("*.safetensors"))
    connection = apsw.Connection(str(run.steps_path))
    # Pretend that a second attempt had computed the steps from 60 on again and reached 70.
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


def test_asked_before_it_has_begun_it_begins_paused(tmp_path: Path):
    run = make_run(tmp_path, steps=100)
    ask(run, "pause")
    process = start_worker(run)
    wait_until(lambda: read_status(run).phase == "paused", "pause")
    time.sleep(0.3)
    assert read_status(run).step == 0
    ask(run, "resume")
    assert finish(process) == 0
    assert read_status(run).step == 100


def test_resuming_keeps_the_pace_and_a_second_continue_adds_nothing(tmp_path: Path):
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


def test_a_text_shorter_than_a_passage_fails_with_what_to_do(tmp_path: Path):
    run = make_run(tmp_path, model={"dim": 16, "layers": 1, "heads": 2, "context": 2048})
    assert finish(start_worker(run)) == 4
    assert "bring a longer text, or use fewer sequences or a shorter context" in read_status(run).message


def test_a_second_trainer_of_the_same_run_goes_away(tmp_path: Path):
    run = make_run(tmp_path, steps=5_000)
    process = start_worker(run)
    wait_for_step(run, 1)
    assert finish(start_worker(run)) == 3
    kill(process)


def test_the_disk_budget_thins_to_keyframes_and_says_so(tmp_path: Path):
    run = make_run(tmp_path, steps=900, disk_budget=1_000_000)
    assert finish(start_worker(run)) == 0
    status = read_status(run)
    assert status.step == 900
    assert status.snapshots != "all"
    with StepsReader(run.steps_path) as reader:
        assert any("disk budget" in event.message for event in reader.events() if event.kind == "thinned")
        assert len(reader.pulses(1, 10_000)) == 900


@pytest.mark.parametrize(("kind", "tied"), [("adam", False), ("adam", True), ("sgd", True)])
def test_dense_runs_keep_keyframes_and_say_what_is_exact(tmp_path: Path, kind: str, tied: bool):
    model = {"dim": 16, "layers": 1, "heads": 2, "context": 8, "tied": tied}
    run = make_run(tmp_path, optimiser={"kind": kind}, model=model)
    assert finish(start_worker(run)) == 0
    with StepsReader(run.steps_path) as reader:
        assert [step for _, step in reader.keyframe_steps()] == [0, 20, 40, 60]
        pulse = decode(reader.pulses(60, 60)[0][1])
    assert isinstance(pulse, Pulse)
    assert len(pulse.moved_ids) > len(pulse.batch_ids)


def test_a_text_too_short_fails_with_what_to_do(tmp_path: Path):
    run = RunStore(tmp_path).create(small_recipe(), "just a few words")
    assert finish(start_worker(run)) == 4
    assert read_status(run).phase == "failed"
    assert "1,000 are needed" in read_status(run).message


def test_a_finished_run_opens_read_only_as_another_user(reference: RunFolder):
    """As root, a real other user opens it; otherwise the same user without write permission."""
    script = (
        "import sys, pathlib\n"
        "from lamplighter.runfolder.run_folder import RunFolder\n"
        "from lamplighter.runfolder.tables.steps_reader import StepsReader\n"
        "from lamplighter.runfolder.reading.run_status import read_status\n"
        "import os\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "run = RunFolder(pathlib.Path(sys.argv[1]))\n"
        "try: (run.path / 'x').touch(); sys.exit('the folder is writable')\n"
        "except PermissionError: pass\n"
        "print(read_status(run).step, len(StepsReader(run.steps_path).pulses(1, 10_000)))\n"
    )
    # Runs and pytest's folders are closed to other users; open the path to this one, and close it afterwards.
    way = [path for path in (reference.path, *reference.path.parents) if path.stat().st_uid == os.geteuid()]
    way += reference.path.iterdir()
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in way}
    try:
        for path in way:
            path.chmod(modes[path] | 0o005)
        reference.path.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", script, str(reference.path)], capture_output=True, text=True, check=False
        )
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert done.stdout.split() == ["200", "200"], done.stderr
