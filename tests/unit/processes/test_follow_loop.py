"""The loop that follows a run: its share of the processor, and its end."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from lamplighter.processes import follow_loop
from lamplighter.processes.follow_loop import CpuShare, FollowLoop
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from tests.support.folders import FakeTrainer, make_run

HOLDS_A_ROLE = (
    "import sys, time; from pathlib import Path; from lamplighter.runfolder.role_lock import RoleLock\n"
    "lock = RoleLock(Path(sys.argv[1]), 'trainer'); print('up', flush=True); time.sleep(60)"
)


class Clocks:
    """The wall clock and the processor's, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.used = 100.0, 5.0
        monkeypatch.setattr(follow_loop, "time", SimpleNamespace(monotonic=lambda: self.wall))

    def work(self, wall: float, used: float) -> None:
        self.wall += wall
        self.used += used

    def rest_of(self, share: CpuShare) -> float:
        """Move the wall clock to the end of the rest. Returns how long that took, to a hundredth of a second."""
        before = self.wall
        while share.resting:
            self.wall += 0.01
        return self.wall - before


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


def test_it_rests_in_proportion_to_the_cost_of_its_work(clocks: Clocks) -> None:
    share = CpuShare(0.25, clock=lambda: clocks.wall)
    assert not share.resting
    start = share.start_work()
    clocks.work(2.0, 0.1)
    share.rest_since(start)
    # Two seconds of eight.
    assert clocks.rest_of(share) == pytest.approx(6.0, abs=0.02)


def test_by_the_processors_time_waiting_costs_nothing(clocks: Clocks) -> None:
    share = CpuShare(0.5, clock=lambda: clocks.used)
    start = share.start_work()
    clocks.work(3.0, 1.0)
    share.rest_since(start)
    # One second of the processor is half of two, which are over since the machine was busy for three.
    assert clocks.rest_of(share) == 0
    start = share.start_work()
    clocks.work(1.0, 1.0)
    share.rest_since(start, share=0.25)
    assert clocks.rest_of(share) == pytest.approx(3.0, abs=0.02)


def test_a_rest_has_bounds_and_can_be_ended(clocks: Clocks) -> None:
    share = CpuShare(0.01, clock=lambda: clocks.wall, rest_seconds=(0.5, 1.0))
    start = share.start_work()
    clocks.work(2.0, 0)
    share.rest_since(start)
    assert clocks.rest_of(share) == pytest.approx(1.0, abs=0.02)
    share.rest_since(share.start_work())
    assert clocks.rest_of(share) == pytest.approx(0.5, abs=0.02)
    share.rest_for(4.0)
    assert share.resting
    share.wake()
    assert not share.resting


def test_abandoned_once_the_trainer_was_killed_and_none_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_loop, "PATIENCE", 0.3)
    monkeypatch.setattr(follow_loop, "_CHECK_SECONDS", 0.02)
    command = [sys.executable, "-c", HOLDS_A_ROLE, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as trainer:
        assert trainer.stdout is not None
        assert trainer.stdout.readline() == "up\n"
        loop = FollowLoop(RunFolder(tmp_path), "the analyst", 0.05)
        until = time.monotonic() + 0.8
        while time.monotonic() < until:
            assert not loop.abandoned()
            assert loop.trained
            loop.wait()
        trainer.send_signal(signal.SIGKILL)
        trainer.wait()
    assert not loop.abandoned()
    deadline = time.monotonic() + 20
    while not loop.abandoned():
        assert time.monotonic() < deadline
        loop.wait()
    assert not loop.trained


def test_while_the_disk_is_full_it_tries_again_until_it_is_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = FollowLoop(RunFolder(tmp_path), "the analyst", 0.01)
    tries: list[float] = []

    def work() -> None:
        tries.append(time.monotonic())
        if len(tries) != 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    loop.run_to_end(work)
    assert len(tries) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("the analyst waits for room on the disk")
    assert told[1].startswith("the analyst goes on after")
    thread = threading.Thread(target=loop.run_to_end, args=(work,))
    thread.start()
    loop.stop()
    thread.join(20)
    assert not thread.is_alive()
    assert loop.stopped
    with pytest.raises(KeyError):
        loop.run_to_end(lambda: {}["no disk"])


def test_steps_are_opened_once_there_are_any(tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    loop = FollowLoop(run, "the analyst", 0.01)
    assert loop.open_steps() is None
    FakeTrainer(run).begin().train(3).crash()
    reader = loop.open_steps()
    assert reader is not None
    with reader:
        assert reader.newest_step() == (1, 3)
