from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lamplighter.analysis import analyst
from lamplighter.analysis.analyst import Analyst
from lamplighter.processes import follow_loop
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.measures import MeasuresReader
from tests.support.synthetic_runs.growing_run import GrowingRun
from tests.support.waiting import wait_until


def measured(folder: RunFolder) -> dict[int, dict[str, float]]:
    try:
        with MeasuresReader(folder.measures_path) as reader:
            return reader.by_step()
    except FileNotFoundError:
        return {}


def test_measures_new_keyframes_and_the_end(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=48)
    process = subprocess.Popen([sys.executable, "-m", "lamplighter.analysis.worker", str(run.folder.path)])
    with RoleLock(run.folder.path, "trainer"):
        wait_until(lambda: measured(run.folder))
        run.grow(124, pause=0.01)
    assert run.end()
    assert process.wait(30) == 0
    found = measured(run.folder)
    assert min(found) == 0
    assert max(found) == 124
    assert all(step % 10 == 0 for step in found if step != 124)
    assert found[124]["purity_10nn"] > found[0]["purity_10nn"]
    assert found[124]["coverage"] == 1
    assert not list(run.folder.path.glob("*.sqlite-wal"))


def test_a_finished_run_is_measured_once(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=48)
    run.grow(15)
    run.end()
    sizes: set[tuple[int, int]] = set()
    for _ in range(2):
        Analyst(run.folder).run()
        with MeasuresReader(run.folder.measures_path) as reader:
            assert reader.newest() == (1, 15)
            assert list(reader.by_step()) == [0, 10, 15]
            sizes.add(reader.size())
    assert len(sizes) == 1


def test_a_new_attempt_is_measured_again(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=48)
    run.grow(15)
    run.end()
    Analyst(run.folder).run()
    with analyst.StepsReader(run.folder.steps_path) as reader:
        assert reader.newest_step() == (1, 15)
    again = analyst.RunFolder(run.folder.path)
    run.writer = type(run.writer)(again.steps_path)
    run.resume_from(12)
    run.grow(3)
    run.end()
    Analyst(again).run()
    with MeasuresReader(again.measures_path) as reader:
        assert reader.newest() == (2, 15)


def test_keeps_the_losses_of_skipped_keyframes(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=48)
    run.held_out_loss = lambda step: 5 - step / 100
    run.grow(35)
    run.end()
    Analyst(run.folder).run()
    found = measured(run.folder)
    assert list(found) == [0, 10, 20, 30, 35]
    assert (found[20]["loss_held_out"], found[20]["loss_read"]) == (4.8, 1.0)
    assert "purity_10nn" in found[35]
    assert "loss_held_out" not in found[35], "35 has no keyframe"


def test_a_new_attempt_has_separate_losses(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=48)
    run.held_out_loss = lambda step: 5 - step / 100
    run.grow(30)
    run.end()
    Analyst(run.folder).run()
    run.writer = type(run.writer)(run.folder.steps_path)
    run.held_out_loss = lambda step: 3.0
    run.resume_from(12)
    run.grow(28)
    run.end()
    Analyst(run.folder).run()
    found = measured(run.folder)
    assert {step: found[step]["loss_held_out"] for step in (10, 20, 30, 40)} == {10: 4.9, 20: 3, 30: 3, 40: 3}


def test_stops_without_a_trainer_or_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = GrowingRun(tmp_path, size=12)
    monkeypatch.setattr(follow_loop, "PATIENCE", 0.3)
    Analyst(run.folder).run()
    assert measured(run.folder)
    monkeypatch.setattr(follow_loop, "PATIENCE", 60)
    told = Analyst(run.folder)
    thread = threading.Thread(target=told.run)
    thread.start()
    told.stop()
    thread.join(10)
    assert not thread.is_alive()
    run.writer.close()


def test_a_resting_analyst_does_not_prevent_sealing(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=48)
    run.grow(12)
    # A share so small that the analyst sleeps during the whole test.
    resting = Analyst(run.folder, share=1e-5)
    thread = threading.Thread(target=resting.run)
    thread.start()
    wait_until(lambda: measured(run.folder))
    assert run.end()
    resting.stop()
    thread.join(10)
    assert not thread.is_alive()
