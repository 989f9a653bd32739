"""Missing measures of a finished run are completed, all and once, despite interruptions."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import numpy as np
import pytest

import lamplighter
from lamplighter.analysis import analyst
from lamplighter.analysis.analyst import Analyst, fill_curves
from lamplighter.processes.desired_state import DesiredState
from lamplighter.runfolder.reading import curves
from lamplighter.runfolder.reading.curves import (
    MARK,
    choose_curve_steps,
    read_curve_measures,
    spread_evenly,
)
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.measures import MeasuresReader, MeasuresWriter
from tests.support.synthetic_runs.growing_run import GrowingRun


def finished(folder: Path, steps: int = 45) -> GrowingRun:
    run = GrowingRun(folder, size=48)
    run.grow(steps)
    run.end()
    return run


def rows(run: RunFolder) -> list[tuple[int, dict[str, float]]]:
    with MeasuresReader(run.measures_path) as reader:
        return list(reader.by_step().items())


def filled(run: RunFolder) -> tuple[int, int]:
    with MatrixHistory(run) as history:
        found = read_curve_measures(run, history)
    return found.filled, len(found.wanted)


def write_old_measures(run: RunFolder, *steps: int) -> None:
    """Write sets in the form of earlier versions, with fewer measures."""
    with MeasuresWriter(run.measures_path) as writer:
        for step in steps:
            writer.commit(1, step, {"purity_10nn": 0.5, "effective_rank": 9.0})
        writer.close(sealed=True)


def test_fills_the_curves_of_a_run_trained_without_a_server(tmp_path: Path) -> None:
    run = finished(tmp_path).folder
    assert filled(run) == (0, 6)
    Analyst(run).run()
    assert filled(run) == (6, 6)
    found = dict(rows(run))
    assert list(found) == [0, 10, 20, 30, 40, 45]
    assert all(set(found[step]) == set(found[0]) for step in found)
    assert found[45]["purity_10nn"] > found[0]["purity_10nn"]
    assert not list(run.path.glob("*.sqlite-wal"))


def test_completes_an_old_run_and_keeps_its_last_step(tmp_path: Path) -> None:
    run = finished(tmp_path).folder
    write_old_measures(run, 0, 20, 45)
    Analyst(run).run()
    found = dict(rows(run))
    assert all(MARK in values for values in found.values())
    assert found[20]["purity_10nn"] != 0.5, "recomputed"
    with MeasuresReader(run.measures_path) as reader:
        assert reader.newest() == (1, 45)
        size = reader.size()
    Analyst(run).run()
    with MeasuresReader(run.measures_path) as reader:
        assert reader.size() == size


def test_continues_after_a_stop(tmp_path: Path) -> None:
    run = finished(tmp_path).folder
    write_old_measures(run, 45)
    asked = count()
    fill_curves(run, lambda: next(asked) == 2)
    assert filled(run) == (2, 6)
    before = dict(rows(run))
    fill_curves(run, lambda: False)
    assert filled(run) == (6, 6)
    assert {step: dict(rows(run))[step] for step in (0, 10)} == {step: before[step] for step in (0, 10)}


def test_leaves_a_continued_run(tmp_path: Path) -> None:
    run = finished(tmp_path)
    run.writer = type(run.writer)(run.folder.steps_path)
    run.writer.set_facts({"phase": "running"})
    fill_curves(run.folder, lambda: False)
    run.writer.close()
    assert filled(run.folder) == (0, 6)


def test_a_killed_filler_loses_nothing(tmp_path: Path) -> None:
    whole, killed = finished(tmp_path / "whole").folder, finished(tmp_path / "killed").folder
    Analyst(whole).run()
    command = [sys.executable, "-m", "lamplighter.analysis.worker", str(killed.path)]
    died = subprocess.run(command, env={**os.environ, "LAMPLIGHTER_FAILPOINT": "fill:3"}, check=False)
    assert died.returncode != 0
    assert filled(killed)[0] in (3, 4), "two, the last step, and the one at whose commit it died or not"
    assert subprocess.run(command, check=False).returncode == 0
    assert rows(killed) == rows(whole)


def test_does_not_write_without_the_role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = finished(tmp_path).folder
    monkeypatch.setattr(analyst, "MeasuresWriter", pytest.fail)
    with RoleLock(run.path, "analyst"):
        command = [sys.executable, "-m", "lamplighter.analysis.worker", str(run.path)]
        assert subprocess.run(command, check=False).returncode == 3
    assert filled(run) == (0, 6)


def test_the_supervisor_checks_for_missing_measures_once(tmp_path: Path) -> None:
    run = finished(tmp_path).folder
    Analyst(run).run()
    state = DesiredState()
    state.refresh([run])
    assert state.needed_state(run, "analyst") is None
    run.measures_path.unlink()
    write_old_measures(run, 45)
    state.refresh([run])
    assert state.needed_state(run, "analyst") == ("finish", 45)


def test_a_curve_has_its_first_and_its_last_step_and_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spread_evenly([4, 5, 6], 3) == [4, 5, 6]
    many = spread_evenly(range(1_000), 64)
    assert (len(many), many[0], many[-1]) == (64, 0, 999)
    assert set(np.diff(many)) <= {15, 16}
    run = finished(tmp_path).folder
    with MatrixHistory(run) as history:
        assert choose_curve_steps(run, history, 45) == [0, 10, 20, 30, 40, 45]
        assert choose_curve_steps(run, history, 27) == [0, 10, 20, 27]
        monkeypatch.setattr(curves, "MAX_CURVE_STEPS", 3)
        assert choose_curve_steps(run, history, 45) == [0, 20, 45]


def test_a_series_is_measured_at_each_checkpoint_and_tells_the_rows_that_stayed(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    start = random.normal(size=(30, 8)).astype(np.float32)
    moved = 0.9 * start
    moved[5:] += random.normal(size=(25, 8))
    words = [f"word{i}" for i in range(30)]
    run = lamplighter.series(tmp_path / "run", {0: start, 10: start, 90: moved}, words, maps=False)
    Analyst(RunFolder(run.folder)).run()
    found = dict(rows(RunFolder(run.folder)))
    assert [values["rows_stayed"] for values in found.values()] == [30, 30, 5]
    assert not {"never_lit", "coverage"} & set(found[0])
    assert set(found[0]) == set(found[2])
