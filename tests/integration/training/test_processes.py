"""A run trained by several processes: its record, its exchanges, and what is left when one of them is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamplighter.examination.examined_model import Replayer, ReplayError
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.processes.crew import Crew
from lamplighter.training.worker import train
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse
from tests.integration.training.worker_record import digests
from tests.support.machine.shared_training import read_exchanges
from tests.support.runs import make_run
from tests.support.waiting import wait_until

LOSS_ROUNDING = 1e-5
"""How far a loss of several processes may be from that of one, as a share (docs/deploy.md)."""


def assert_same_training(one: RunFolder, other: RunFolder, steps: int) -> None:
    """Compare a run with one of the same recipe that another number of processes trained: equal batches, equal sets of
    rows, and numbers equal but for the rounding of sums in another order."""
    of_one, of_other = read_pulses(one), read_pulses(other)
    assert len(of_one) == len(of_other) == steps
    for a, b in zip(of_one, of_other, strict=True):
        for name in ("batch_ids", "batch_counts", "gradient_ids", "moved_ids"):
            assert np.array_equal(getattr(a, name), getattr(b, name)), (a.step, name)
        assert a.loss == pytest.approx(b.loss, rel=LOSS_ROUNDING), a.step
        # Norms of small differences lose more digits than a loss does.
        np.testing.assert_allclose(a.layer_norms, b.layer_norms, rtol=1e-3)
    assert [a.loss for a in of_one[1:]] != [b.loss for b in of_other[1:]]


def read_pulses(run: RunFolder) -> list[Pulse]:
    with StepsReader(run.steps_path) as reader:
        return [decode_as(data, Pulse) for _, data in reader.pulses(1, 10_000, 10_000)]


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


def test_the_record_is_that_of_one_process_but_for_rounding(of_two: RunFolder, tmp_path: Path):
    alone = make_run(tmp_path, steps=35)
    assert train(alone) == Phase.FINISHED
    assert_same_training(of_two, alone, 35)
    with StepsReader(of_two.steps_path) as reader:
        assert reader.lineage().newest_attempt == 1


def test_the_bytes_of_every_step_are_those_of_the_formula(of_two: RunFolder):
    found = read_exchanges(of_two.path)
    assert [step for step, _, _ in found] == list(range(1, 36))
    for _, split, one in found:
        assert split.owners == ((0, len(of_two.vocabulary)),) * 2
        assert split.row_owners is None
        assert {kind: one.bytes[kind] for kind in split.formulas} == split.expected_bytes(one)
        assert all(worked > 0 for worked in one.worked)
        assert all(waited > 0 for waited in one.waited)
    # The model is dealt out before steps 1 and 26.
    assert [step for step, _, one in found if one.bytes["transfer"]] == [1, 26]


def test_an_examiner_answers_where_a_state_is_kept_and_refuses_to_repeat_the_rest(of_two: RunFolder):
    replayer = Replayer(of_two)
    replayer.model_at(35, lambda _share, _what: None)
    assert replayer.describe_replay().steps == 0
    with pytest.raises(
        ReplayError, match=r"several processes computed step 11 .* ask about step 10"
    ) as refused:
        replayer.model_at(19, lambda _share, _what: None)
    assert refused.value.reason.code == "trained_by_several"
    # The model of the step before is still good.
    assert replayer.model_at(35, lambda _share, _what: None).step == 35


def test_one_process_goes_on_from_the_same_checkpoint(of_two: RunFolder):
    before = digests(of_two)
    add_steps(of_two, 5)
    assert train(of_two) == Phase.FINISHED
    after = digests(of_two)
    assert len(after) == 40
    assert {step: after[step] for step in before} == before
    with StepsReader(of_two.steps_path) as reader:
        assert reader.lineage().newest_attempt == 1
    assert len(read_exchanges(of_two.path)) == 35


@pytest.mark.parametrize(
    "recipe",
    [
        {"optimiser": {"kind": "adam"}, "model": {"tied": True}},
        {"optimiser": {"kind": "sgd", "learning_rate": 0.1}},
        {"format": 2, "optimiser": {"frozen": ["output"]}},
    ],
    ids=["tied", "sgd", "frozen"],
)
@pytest.mark.tour
def test_three_processes_train_any_optimiser_on_batches_that_do_not_divide(
    tmp_path: Path, recipe: dict[str, Any]
):
    run, alone = (
        make_run(tmp_path / name, **recipe, steps=20, sequences=5, passages=1) for name in ("three", "one")
    )
    with Crew(3) as crew:
        assert train(run, crew=crew) == Phase.FINISHED
    assert train(alone) == Phase.FINISHED
    assert_same_training(run, alone, 20)
    for _, split, one in read_exchanges(run.path):
        assert {kind: one.bytes[kind] for kind in split.formulas} == split.expected_bytes(one)


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
    assert list(digests(run)) == list(range(1, steps + 1))
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
    assert list(digests(RunFolder(folder))) == list(range(1, 21))
    assert len(read_exchanges(folder)) == 20
