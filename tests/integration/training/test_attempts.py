"""A run that cannot continue unchanged: different numbers, invalid numbers, or another attempt.

Requests to a trainer before, during and after training, and their record.
A run stopped while its text is read: training a tokeniser cannot be interrupted, and takes minutes for random
letters.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import numpy as np
import psutil
import pytest

from lamplighter.corpora.corpus import CorpusError
from lamplighter.model.checkpoint import checkpoint_name
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status, wants_training
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training import corpus_setup
from lamplighter.training.corpus_setup import SetupStoppedError, prepare_corpus, prepare_stoppably
from lamplighter.wire.frames import decode
from lamplighter.wire.pulse_frames import Pulse
from tests.integration.training.worker_record import ask, digests
from tests.support.runs import finish, kill, make_run, small_recipe, small_text, start_worker, wait_for_step
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


@pytest.mark.parametrize(
    ("how", "phase"),
    [(signal.SIGTERM, "running"), pytest.param(signal.SIGINT, "interrupted", marks=pytest.mark.tour)],
)
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


LETTERS = bytes(ord("a") + i % 26 for i in range(256))
BPE = {"kind": "text", "name": "letters.txt", "tokeniser": "bpe", "vocabulary_size": 4_000}


def letters(count: int) -> str:
    return random.Random(7).randbytes(count).translate(LETTERS).decode()


@pytest.mark.parametrize(
    ("how", "phase"),
    [
        ("request", "interrupted"),
        pytest.param(signal.SIGINT, "interrupted", marks=pytest.mark.tour),
        (signal.SIGTERM, "preparing"),
    ],
)
def test_stops_a_training_tokeniser_and_leaves_no_process(
    tmp_path: Path, how: str | signal.Signals, phase: str
) -> None:
    run = RunStore(tmp_path).create(small_recipe(corpus=BPE), letters(6_000_000))
    process = start_worker(run)
    wait_until(lambda: "tokens" in read_status(run).message, "the tokeniser")
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    if isinstance(how, signal.Signals):
        process.send_signal(how)
    else:
        ask(run, "stop")
    # Without a stop it takes minutes.
    assert finish(process, timeout=15) == ExitCode.DONE
    assert not any(child.is_running() for child in children)
    assert read_status(run).phase == phase
    assert wants_training(run) == (phase == "preparing")
    assert not run.is_prepared
    RunStore(tmp_path).trash(run)


def test_continues_a_run_stopped_before_its_first_step(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(small_recipe(steps=5), small_text())
    ask(run, "stop")
    assert finish(start_worker(run)) == ExitCode.DONE
    assert (read_status(run).phase, run.is_prepared) == ("interrupted", False)
    ask(run, "continue", steps=3)
    assert finish(start_worker(run)) == ExitCode.DONE
    assert (read_status(run).phase, read_status(run).step) == ("finished", 8)


def test_trains_a_run_continued_before_its_stop_was_read(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(small_recipe(steps=5), small_text())
    ask(run, "stop")
    ask(run, "continue", steps=3)
    assert finish(start_worker(run)) == ExitCode.DONE
    assert (read_status(run).phase, read_status(run).step) == ("finished", 8)


def test_a_child_process_builds_the_same_corpus(tmp_path: Path) -> None:
    runs = [
        RunStore(tmp_path).create(small_recipe(corpus=BPE | {"vocabulary_size": 500}), small_text(20_000))
        for _ in range(2)
    ]
    assert runs[0].source_path.stat().st_size > corpus_setup._SHORT_BYTES  # pyright: ignore[reportPrivateUsage]
    told: list[tuple[float, str]] = []
    prepare_stoppably(runs[0], lambda share, what: told.append((share, what)), lambda: False)
    prepare_corpus(runs[1])
    assert told[-1] == (1.0, "done")
    for name in ("vocabulary.json", "tokeniser.json", "corpus.json", "corpus.npy"):
        assert (runs[0].path / name).read_bytes() == (runs[1].path / name).read_bytes(), name


def test_reports_an_unusable_long_text(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(small_recipe(), "word" + " " * 100_000)
    with pytest.raises(CorpusError) as here:
        prepare_corpus(run)
    with pytest.raises(CorpusError) as there:
        prepare_stoppably(run, lambda _share, _what: None, lambda: False)
    assert str(there.value) == str(here.value)


def test_reports_a_full_disk(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(small_recipe(), small_text(20_000))
    limited = (
        "import resource, sys; from lamplighter.training.corpus_worker import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY)); sys.exit(main())"
    )
    command = [sys.executable, "-c", limited, str(run.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.wait(30) == ExitCode.DISK_FULL
    assert not run.is_prepared


def test_stops_a_short_text_between_parts(tmp_path: Path) -> None:
    run: RunFolder = RunStore(tmp_path).create(small_recipe(), small_text())
    told: list[float] = []
    with pytest.raises(SetupStoppedError):
        prepare_stoppably(run, lambda share, _what: told.append(share), lambda: bool(told))
    assert (len(told), run.is_prepared) == (1, False)
