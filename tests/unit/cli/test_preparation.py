"""The finishing of a run without a server: which workers are started for it, and what becomes of them is said."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lamplighter.cli.asking import claims
from lamplighter.cli.asking.claims import finish_run
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from tests.support.folders import (
    FakeTrainer,
    finished_run,
    layout,
    make_run,
    write_layouts,
)

STEPS = 5


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Return a run that was trained without a server."""
    return finished_run(tmp_path, STEPS)


def let_workers_end(monkeypatch: pytest.MonkeyPatch, **codes: int) -> list[str]:
    """Let the workers of each role end at once, with 0 or the code given. Return the list of those that are started."""
    started: list[str] = []

    def command(role: str, _run: Path) -> list[str]:
        started.append(role)
        return [sys.executable, "-c", f"raise SystemExit({codes.get(role, 0)})"]

    monkeypatch.setattr(claims, "worker_command", command)
    return started


def test_only_missing_parts_are_made(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started = let_workers_end(monkeypatch)
    assert finish_run(run) == []
    assert started == ["analyst", "projector"]
    assert f"the measures of {run.id}: made" in capsys.readouterr().out
    started.clear()
    write_layouts(run, layout(1, STEPS))
    assert finish_run(run) == []
    assert started == ["analyst"]


def test_a_failed_worker_is_a_problem_but_an_external_one_is_not(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started = let_workers_end(monkeypatch, analyst=ExitCode.FAILED, projector=ExitCode.ROLE_TAKEN)
    assert finish_run(run) == ["the measures could not be made"]
    # The next one is begun all the same.
    assert started == ["analyst", "projector"]
    assert "another process is making it" in capsys.readouterr().out


def test_a_run_that_trains_is_left_to_its_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started = let_workers_end(monkeypatch)
    trainer = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(STEPS)
    assert finish_run(trainer.run) == []
    assert started == []
    assert "is being trained" in capsys.readouterr().out
    # Once it is over, its workers are started.
    trainer.end()
    assert finish_run(trainer.run) == []
    assert started == ["analyst", "projector"]
