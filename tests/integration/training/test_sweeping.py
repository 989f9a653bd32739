"""A sweep of small real runs: stopped by Ctrl-C and resumed, each member is what it would have been alone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamplighter
from lamplighter.processes.sweep import SweptMembers
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_set import RunSet
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps_reader import StepsReader
from tests.support.runs import finish, make_run, start_worker
from tests.support.waiting import wait_until


def sweep(runs: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "lamplighter", "--runs", str(runs), "sweep", *words, "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def summary(process: subprocess.Popen[bytes]) -> tuple[int, Any]:
    out, errors = process.communicate(timeout=120)
    assert errors == b""
    return process.returncode, json.loads(out)


def digests(runs: RunStore, run_id: str) -> dict[int, bytes]:
    with StepsReader(runs.find(run_id).steps_path) as reader:
        return reader.digests(0, 10_000)


@pytest.mark.tour
def test_a_stopped_sweep_goes_on_and_gives_what_each_run_alone_gives(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    run = make_run(store.path, steps=120)
    process = sweep(store.path, "--of", run.id, "--seed", "1..2", "--jobs", "1", "--no-measures")
    wait_until(lambda: bool(store.sets()), "the set")
    run_set: RunSet = store.sets()[0]
    members = [member for _, member in run_set.members() if member is not None]
    wait_until(lambda: read_status(members[0]).step > 20, "some steps of the first")
    assert run_set.is_swept
    process.send_signal(signal.SIGINT)
    code, told = summary(process)
    assert code == 130
    assert told["id"] == run_set.id
    assert told["members"][0]["problem"].startswith("stopped at step")
    assert read_status(members[0]).phase == Phase.INTERRUPTED
    assert (members[1].steps_path.exists(), run_set.is_swept) == (False, False)

    code, told = summary(sweep(store.path, "--resume", run_set.id, "--no-measures"))
    assert code == 0
    assert [one["phase"] for one in told["members"]] == ["finished"] * 2
    assert [one["settings"] for one in told["members"]] == [{"seed": seed} for seed in (1, 2)]
    # The run that was repeated has seed 1.
    finish(start_worker(run))
    alone = digests(store, run.id)
    assert len(alone) == 120
    assert digests(store, members[0].id) == alone
    assert digests(store, members[1].id) != alone
    # Python reads the same.
    opened = lamplighter.open_set(run_set.path)
    assert [one.id for one in opened.members] == [one.id for one in members]
    assert (opened.grid, opened.settings[1]) == ({"seed": [1, 2]}, {"seed": 2})
    band = opened.curves()["loss"]
    assert band.lines.shape == (2, len(band.steps))
    assert np.allclose(band.median, np.median(band.lines, axis=0))
    assert sum(opened.claims()[0].states.values()) == 2


def test_members_are_trained_by_jobs_of_their_own(tmp_path: Path) -> None:
    run = make_run(tmp_path, steps=20)
    code, told = summary(sweep(tmp_path, "--of", run.id, "--seed", "0..1", "--jobs", "0"))
    assert (code, [one["phase"] for one in told["members"]]) == (0, ["waiting", "waiting"])
    for member in told["members"]:
        job = [
            sys.executable,
            "-m",
            "lamplighter",
            "train",
            "--runs",
            str(tmp_path),
            "--resume",
            member["run"],
        ]
        assert subprocess.run(job, check=False, capture_output=True).returncode == 0
    (run_set,) = RunStore(tmp_path).sets()
    assert [one.is_finished for one in SweptMembers(run_set).read_all()] == [True] * 2
