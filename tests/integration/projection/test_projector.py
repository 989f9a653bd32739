"""The projector as a real process beside a growing run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from lamplighter.projection.projector_process import spaced_steps
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.layout_frames import Method
from tests.integration.projection.projectors import Start, ended, layouts
from tests.support.synthetic_runs.growing_run import GrowingRun
from tests.support.waiting import wait_until


def diameter(places: np.ndarray) -> float:
    return float(np.linalg.norm(places.max(axis=0) - places.min(axis=0)))


class Growing:
    """A context manager that grows a run in a thread, under the trainer's lock."""

    def __init__(self, run: GrowingRun, pause: float = 0.03, pull: float = 0.05) -> None:
        self.run, self.pause, self.pull = run, pause, pull
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._grow)
        self._lock = RoleLock(run.folder.path, "trainer")

    def __enter__(self) -> Growing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._lock.close()

    def _grow(self) -> None:
        while not self._stop.wait(self.pause):
            self.run.step(pull=self.pull)


def test_follows_a_run_to_its_end_through_a_kill(tmp_path: Path, start: Start) -> None:
    run = GrowingRun(tmp_path)
    folder = run.folder
    with Growing(run):
        killed = start(folder)
        wait_until(lambda: layouts(folder, Method.LINEAR))
        first = layouts(folder, Method.LINEAR)[0]
        # By then the space has some structure; the map of a random one is arbitrary.
        wait_until(lambda: len(drawn := layouts(folder, Method.UMAP)) >= 4 and drawn[-1].step >= 60)
        killed.kill()
        killed.communicate()
        before = layouts(folder, Method.UMAP)
        again = start(folder)
        wait_until(lambda: len(layouts(folder, Method.UMAP)) >= len(before) + 6)
        # By then tokens of a class have come together.
        wait_until(lambda: run.at >= 160)
    with StepsReader(folder.steps_path) as reader:
        last = reader.newest_step()
    assert run.end()
    assert ended(again) == 0

    maps = layouts(folder, Method.UMAP)
    # The linear view does not wait until the map, which begins with the first matrix, has caught up in order.
    assert first.time < maps[1].time
    steps = [one.step for one in maps]
    assert steps[0] == 0
    assert steps == sorted(steps)
    after = maps[len(before)]
    moved = np.linalg.norm(after.coordinates - before[-1].coordinates, axis=1)
    # The space itself moves between the two; a fresh map would be somewhere else entirely (0.2 and more).
    assert np.median(moved) < 0.12 * diameter(before[-1].coordinates)

    # Later frames do not jump either, nor does the last, before which the map comes to rest.
    for one, two in zip(maps[len(before) :], maps[len(before) + 1 :], strict=False):
        moved = np.linalg.norm(two.coordinates - one.coordinates, axis=1)
        assert np.median(moved) < 0.12 * diameter(one.coordinates)
    assert moved.max() < 0.002 * diameter(maps[-1].coordinates)

    for method in (Method.LINEAR, Method.UMAP):
        newest = layouts(folder, method)[-1]
        assert (newest.attempt, newest.step) == last
        assert 0 < newest.trust <= 1
        assert newest.sample == run.size
    # The map shows the structure of the space: tokens of one class are close together.
    places = maps[-1].coordinates
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (run.class_of[distance.argmin(axis=1)] == run.class_of).mean() > 0.6
    assert not list(folder.path.glob("*.sqlite-wal"))
    with LayoutsReader(folder.layouts_path) as reader:
        facts = reader.facts()
    assert facts["linear"]["attempt"] == 1
    assert facts["umap"]["metric"] == "cosine"


def test_projects_a_finished_run_once(tmp_path: Path, start: Start) -> None:
    run = GrowingRun(tmp_path, size=40)
    run.grow(57, rows=10)
    assert run.end()
    assert ended(start(run.folder)) == 0
    maps = layouts(run.folder, Method.UMAP)
    made = len(maps)
    # The first matrix, twenty later steps, and the last until the map rests.
    order = list(dict.fromkeys(one.step for one in maps))
    assert order == [0, *spaced_steps(0, 57)]
    with LayoutsReader(run.folder.layouts_path) as reader:
        assert reader.facts()["linear"]["step"] == 57
    assert ended(start(run.folder)) == 0
    assert len(layouts(run.folder, Method.UMAP)) == made


def test_follows_a_new_attempt(tmp_path: Path, start: Start) -> None:
    run = GrowingRun(tmp_path, size=60)
    run.grow(30)
    with RoleLock(run.folder.path, "trainer"):
        process = start(run.folder)
        wait_until(lambda: layouts(run.folder, Method.UMAP))
        run.resume_from(12)
        run.grow(5)
        wait_until(lambda: 2 in [one.attempt for one in layouts(run.folder, Method.UMAP)])
        wait_until(lambda: 17 in [one.step for one in layouts(run.folder, Method.LINEAR)])
        process.send_signal(signal.SIGTERM)
        assert ended(process) == 0
    run.writer.close()


@pytest.mark.parametrize(("size", "dense"), [(3, False), (30, True)])
def test_handles_three_tokens_and_dense_runs(size: int, dense: bool, tmp_path: Path, start: Start) -> None:
    run = GrowingRun(tmp_path, size=size, classes=2, dense=dense)
    run.grow(25, rows=2)
    assert run.end()
    assert ended(start(run.folder)) == 0
    newest = layouts(run.folder, Method.UMAP)[-1]
    assert newest.step == (20 if dense else 25)
    assert np.isfinite(newest.coordinates).all()


def test_reports_a_row_that_is_not_finite(tmp_path: Path, start: Start) -> None:
    run = GrowingRun(tmp_path, size=30)
    run.grow(3)
    run.vectors[5] = np.nan
    run.grow(8)
    assert run.end(phase="failed")
    assert ended(start(run.folder)) == 0
    assert layouts(run.folder, Method.UMAP) == []
    with LayoutsReader(run.folder.layouts_path) as reader:
        assert reader.facts()["skipped"]["reason"] == "1 row is not finite"


def test_allows_one_projector_per_run(tmp_path: Path, start: Start) -> None:
    run = GrowingRun(tmp_path, size=20)
    with RoleLock(run.folder.path, "projector"):
        process = start(run.folder)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 3
    assert b"already the projector" in errors
    run.writer.close()


def test_terminated_while_umap_compiles(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=20)
    # A new process, which has not imported it yet.
    command = [sys.executable, "-m", "lamplighter.projection.worker", str(run.folder.path)]
    with (
        RoleLock(run.folder.path, "trainer"),
        subprocess.Popen(command, stderr=subprocess.PIPE) as process,
    ):
        wait_until(lambda: layouts(run.folder, Method.LINEAR))
        process.terminate()
        assert ended(process, 10) == 0
    run.writer.close()


def test_once_lays_out_the_newest_step_and_exits(tmp_path: Path, start: Start) -> None:
    run = GrowingRun(tmp_path, size=60)
    run.grow(12)
    assert ended(start(run.folder, "--once")) == 0
    assert {one.step for one in layouts(run.folder, Method.UMAP)} == {12}
    run.writer.close()


def test_reports_a_missing_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lamplighter.projection.worker", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, check=False, env=os.environ)
    assert done.returncode == 4
    assert b"no such folder" in done.stderr
