"""A run trained by several processes: its record, its exchanges, and what is left when one of them is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from lamplighter.examination.examined_model import Replayer
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import build_learner
from lamplighter.model.observer import Observer
from lamplighter.model.recomputing import train_step_in_parts
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.exchanges import FORMULAS
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.processes.crew import Crew
from lamplighter.training.worker import train
from tests.integration.training.worker_record import digests
from tests.support.machine.shared_training import read_exchanges
from tests.support.runs import make_run
from tests.support.waiting import wait_until


def computed_in_parts(run: RunFolder, parts: int, steps: int) -> list[bytes]:
    """Return the digests of a run's steps as one process computes them in parts."""
    device = torch.device("cpu")
    learner = build_learner(run.recipe, len(run.vocabulary), device)
    observer, batches = (
        Observer(learner, run.recipe.cadence.verify_every),
        BatchReader(run.recipe, run.token_ids, device),
    )
    found: list[bytes] = []
    for step in range(1, steps + 1):
        host_ids, ids, targets = batches.batch(step)
        found.append(
            observer.observe(step, host_ids, train_step_in_parts(learner, ids, targets, parts)).digest()
        )
    return found


def start_train(runs: Path, *words: str, launcher: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    """Start `lamplighter train` in a session of its own, so that a test can end all that it starts."""
    command = [
        sys.executable,
        "-m",
        *(launcher or ("lamplighter",)),
        "train",
        "--runs",
        str(runs),
        "--yes",
        *words,
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def followers_of(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the ids of the other processes, in the order of their ranks."""
    found: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == process.pid and b"lamplighter.training.processes.follower" in words:
                found[int(words[-3])] = int(entry.name)
    return [found[rank] for rank in sorted(found)]


def is_running(pid: int) -> bool:
    """Return whether a process exists and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def add_steps(run: RunFolder, more: int) -> None:
    RequestsWriter(run.path, "test").add("continue", {"steps": more})


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Train a run with two processes, twice: the second time it resumes from a checkpoint."""
    run = make_run(tmp_path_factory.mktemp("of-two"), steps=25)
    with Crew(2) as crew:
        assert train(run, crew=crew) == Phase.FINISHED
        add_steps(run, 10)
        assert train(run, crew=crew) == Phase.FINISHED
    return run


def test_the_record_is_that_of_one_process_that_adds_in_the_same_order(of_two: RunFolder):
    assert list(digests(of_two).values()) == computed_in_parts(of_two, 2, 35)


def test_the_bytes_of_every_step_are_those_of_the_formula(of_two: RunFolder):
    found = read_exchanges(of_two.path)
    assert [step for step, _, _ in found] == list(range(1, 36))
    rows = len(of_two.vocabulary)
    for _, split, one in found:
        assert split.owners == ((0, rows // 2), (rows // 2, rows - rows // 2))
        assert {kind: one.bytes[kind] for kind in FORMULAS} == split.expected_bytes(one)
        assert all(worked > 0 for worked in one.worked)
        assert all(waited > 0 for waited in one.waited)
    # The model is dealt out before steps 1 and 26; step 20 has a keyframe, which is collected.
    assert {1, 21, 26} <= {step for step, _, one in found if one.bytes["transfer"] > 4 * rows}
    assert found[9][2].bytes["transfer"] == 0


def test_another_number_of_processes_goes_on_from_the_same_checkpoint(of_two: RunFolder):
    before = digests(of_two)
    add_steps(of_two, 5)
    assert train(of_two) == Phase.FINISHED
    after = digests(of_two)
    assert len(after) == 40
    assert {step: after[step] for step in before} == before
    with StepsReader(of_two.steps_path) as reader:
        assert reader.lineage().newest_attempt == 1
    assert len(read_exchanges(of_two.path)) == 35


def test_an_examiner_computes_its_steps_again_to_the_bit(of_two: RunFolder):
    replayer = Replayer(of_two)
    for step in (19, 34):
        replayer.model_at(step, lambda _share, _what: None)
        replayed = replayer.describe_replay()
        assert replayed.steps > 0
        assert replayed.equal is True


@pytest.mark.tour
def test_three_processes_make_the_record_of_one_that_adds_in_their_order(tmp_path: Path):
    run = make_run(tmp_path, steps=40, sequences=5, passages=1)
    with Crew(3) as crew:
        assert train(run, crew=crew) == Phase.FINISHED
    assert list(digests(run).values()) == computed_in_parts(run, 3, 40)
    for _, split, one in read_exchanges(run.path):
        assert {kind: one.bytes[kind] for kind in FORMULAS} == split.expected_bytes(one)


@pytest.mark.tour
@pytest.mark.skipif(sys.platform != "linux", reason="it finds the processes in /proc")
@pytest.mark.parametrize("killed", [0, 1, 2])
def test_a_killed_process_ends_all_and_costs_no_step(tmp_path: Path, killed: int):
    steps = 200
    run = make_run(tmp_path, steps=steps)
    process = start_train(tmp_path, "--resume", run.id, "--processes", "3")
    try:
        wait_until(lambda: read_status(run).step > 40, "some steps")
        others = followers_of(process)
        assert len(others) == 2
        os.kill([process.pid, *others][killed], signal.SIGKILL)
        _, told = process.communicate(timeout=120)
        wait_until(lambda: not any(map(is_running, others)), "the others to end")
    finally:
        process.kill()
    if killed:
        assert process.returncode == 1
        assert f"process {killed} of 3 was killed by signal 9" in told.decode()
    reached = read_status(run).step
    assert 40 < reached < steps
    with Crew(3) as crew:
        assert train(run, crew=crew) == Phase.FINISHED
    # Bit for bit what would have been without the kill, in one attempt.
    assert list(digests(run).values()) == computed_in_parts(run, 3, steps)
    with StepsReader(run.steps_path) as reader:
        assert reader.lineage().newest_attempt == 1
    assert [step for step, _, _ in read_exchanges(run.path)] == list(range(1, steps + 1))


@pytest.mark.tour
@pytest.mark.skipif(sys.platform != "linux", reason="it finds the processes in /proc")
def test_a_paused_run_notices_a_killed_process(tmp_path: Path):
    run = make_run(tmp_path, steps=100_000)
    process = start_train(tmp_path, "--resume", run.id, "--processes", "2")
    try:
        wait_until(lambda: read_status(run).step > 10, "some steps")
        RequestsWriter(run.path, "test").add("pause", {})
        wait_until(lambda: read_status(run).phase == Phase.PAUSED, "the pause")
        os.kill(followers_of(process)[0], signal.SIGKILL)
        _, told = process.communicate(timeout=120)
    finally:
        process.kill()
    assert "process 1 of 2 was killed by signal 9" in told.decode()


@pytest.mark.tour
@pytest.mark.skipif(sys.platform != "linux", reason="it finds the processes in /proc")
def test_a_process_that_lags_is_seen_in_the_exchanges(tmp_path: Path):
    run = make_run(tmp_path, steps=100_000)
    process = start_train(tmp_path, "--resume", run.id, "--processes", "2")
    try:
        wait_until(lambda: read_status(run).step > 10, "some steps")
        other = followers_of(process)[0]
        os.kill(other, signal.SIGSTOP)
        time.sleep(1)
        os.kill(other, signal.SIGCONT)
        at = read_status(run).step
        wait_until(lambda: read_status(run).step > at + 10, "the next steps")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0
    assert read_status(run).phase == Phase.INTERRUPTED
    longest = max((one for _, _, one in read_exchanges(run.path)), key=lambda one: one.waited[0])
    assert longest.waited[0] > 0.5


@pytest.mark.tour
def test_torchrun_starts_the_same_training(tmp_path: Path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("steps = 20\nsequences = 4\n[model]\ndim = 16\nlayers = 1\nheads = 2\ncontext = 8\n")
    launcher = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "lamplighter")
    process = start_train(tmp_path / "runs", "--recipe", str(recipe), "--json", launcher=launcher)
    said, told = process.communicate(timeout=120)
    assert process.returncode == 0, told.decode()
    assert said.decode().count('"phase": "finished"') == 1
    (folder,) = (tmp_path / "runs").iterdir()
    assert list(digests(RunFolder(folder)).values()) == computed_in_parts(RunFolder(folder), 2, 20)
