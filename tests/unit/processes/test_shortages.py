"""Shortages of the machine or of the supervisor's own process are no crashes of a worker: they are waited out."""

from __future__ import annotations

import errno
import logging
import os
import time
from pathlib import Path
from typing import Any

import pytest

from lamplighter.platform.child_process import start_child
from lamplighter.processes.desired_state import DesiredState
from lamplighter.processes.supervisor import Supervisor
from lamplighter.runfolder.role_lock import RoleState
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import RequestsWriter
from tests.support.folders import make_run
from tests.support.supervising import FAIL, QUICK, SLEEP, Started, supervising
from tests.support.waiting import wait_until

FAILURES = 12
"""More than the crashes after which a worker stays stopped."""


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOSPC])
def test_starting_a_worker_is_retried_and_logged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    run = make_run(RunStore(tmp_path))
    tried = 0

    def start(*words: Any, **how: Any) -> Any:
        nonlocal tried
        tried += 1
        if tried <= FAILURES:
            raise OSError(code, os.strerror(code))
        return start_child(*words, **how)

    monkeypatch.setattr("lamplighter.processes.supervised_worker.start_child", start)
    caplog.set_level(logging.INFO)
    started = Started(trainer=SLEEP)
    quick = QUICK.__class__(
        poll_seconds=0.01, first_restart_delay=0.01, max_shortage_delay=0.02, stop_seconds=1.0
    )
    with supervising(tmp_path, started, quick, ("trainer",)) as supervisor:
        wait_until(lambda: tried > 2)
        assert os.strerror(code) in supervisor.states()["trainer"]
        wait_until(lambda: tried > FAILURES)
        assert not supervisor.has_given_up(run.id, "trainer")
        wait_until(lambda: supervisor.states()["trainer"] == "at work on 1 run")
    told = [record.message for record in caplog.records if run.id in record.message]
    assert len([line for line in told if "cannot be started now" in line]) == 1
    assert not [line for line in told if "crashed" in line]
    assert f"trainer of {run.id} can be started again" in told


def test_other_errors_of_a_start_are_crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(RunStore(tmp_path))

    def start(*_: Any, **__: Any) -> Any:
        raise PermissionError(errno.EACCES, "not for you")

    monkeypatch.setattr("lamplighter.processes.supervised_worker.start_child", start)
    with supervising(tmp_path, Started(trainer=SLEEP), QUICK, ("trainer",)) as supervisor:
        wait_until(lambda: supervisor.has_given_up(run.id, "trainer"))


def test_a_lock_that_cannot_be_opened_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = make_run(RunStore(tmp_path))
    state = RoleState.UNKNOWN
    monkeypatch.setattr("lamplighter.processes.supervised_worker.role_state", lambda *_: state)
    started = Started(trainer=SLEEP)
    with supervising(tmp_path, started, QUICK, ("trainer",)) as supervisor:
        wait_until(
            lambda: supervisor.states()["trainer"] == f"waiting in {run.id}: trainer.lock cannot be opened"
        )
        assert started == []
        state = RoleState.FREE
        wait_until(lambda: started)
    assert len([record for record in caplog.records if "cannot be started now" in record.message]) == 1


def test_an_unreadable_trainer_lock_keeps_the_last_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(RunStore(tmp_path))
    state = RoleState.HELD
    monkeypatch.setattr("lamplighter.processes.desired_state.role_state", lambda *_: state)
    desired = DesiredState()
    desired.refresh([run])
    state = RoleState.UNKNOWN
    desired.refresh([run])
    assert desired.is_trained(run)
    # No new spell, for which every other worker would be started again.
    assert desired.needed_state(run, "analyst") == ("live", 1)


def test_a_folder_that_cannot_be_listed_lifts_no_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(RunStore(tmp_path))
    RequestsWriter(run.path, "test").add("resume", {})
    started = Started(trainer=FAIL)
    supervisor = Supervisor(RunStore(tmp_path), ("trainer",), QUICK, started.command)

    def stopped() -> bool:
        supervisor.poll()
        return supervisor.has_given_up(run.id, "trainer")

    wait_until(stopped)
    scandir = os.scandir

    def refuse(path: Any = ".") -> Any:
        if Path(path) == run.path:
            raise OSError(errno.EMFILE, "Too many open files")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    for _ in range(3):
        time.sleep(QUICK.first_restart_delay)
        supervisor.poll()
    assert supervisor.has_given_up(run.id, "trainer")
    assert len(started) == 1


def test_an_unlistable_runs_folder_is_logged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried = 0

    def refuse(_: RunStore) -> Any:
        nonlocal tried
        tried += 1
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(RunStore, "runs", refuse)
    supervisor = Supervisor(RunStore(tmp_path), ("analyst",), QUICK)
    supervisor.start()
    wait_until(lambda: tried > 5)
    supervisor.stop()
    assert len([record for record in caplog.records if "could not check the runs" in record.message]) == 1
