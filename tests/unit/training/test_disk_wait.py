"""A trainer on a full disk can be paused and stopped as usual, and keeps the numbers of a computed step.

A trainer that reaches its memory limit ends with a message that says what to do.

Updates far smaller than those of a default run: moves of a millionth are recorded and in snapshots.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import apsw
import numpy as np
import pytest
import torch

from lamplighter.contract.recipe import Recipe
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import build_learner
from lamplighter.model.step import train_step
from lamplighter.platform import worker_limits
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.role_lock import is_waiting_for_space
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing import free_space
from lamplighter.training import control as control_module
from lamplighter.training.control import DiskWait, RunControl, StopFlag
from lamplighter.training.worker import train
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse
from tests.support.machine.small_disk import SmallDisk, small_disk
from tests.support.runs import make_run, small_recipe, small_text

LAST = 5
"""The last committed step; the one after it is computed."""


class Waiting:
    """A trainer on a full disk, with a computed step."""

    def __init__(self, run: RunFolder, disk: SmallDisk) -> None:
        self.run, self.disk = run, disk
        self.writer = StepsWriter(run.steps_path)
        self.reader = StepsReader(run.steps_path)
        self.writer.start_attempt(0)
        self.control = RunControl(run, self.writer, self.reader)
        self.control.set_phase(Phase.RUNNING, 0, event="started")
        self.control.reserve_space()
        self.wait = DiskWait(run.path, self.writer, self.reader, self.control, StopFlag())
        self.commits = 0
        """The number of tries to commit the step."""
        disk.free = 0

    def ask(self, kind: str, **body: float) -> None:
        """Make a request, using space reserved for the server."""
        disk, self.disk.free = self.disk.free, 1 << 30
        RequestsWriter(self.run.path, "s1").add(kind, body)
        self.disk.free = disk

    def commit_step(self, on_wait: Callable[[], None]) -> bool:
        """Commit the computed step, which takes a megabyte."""

        def commit() -> None:
            self.commits += 1
            self.disk.take(1_000_000)

        return self.wait.retry(commit, on_wait, held_after=LAST)

    def close(self) -> None:
        self.control.close()
        self.reader.close()
        self.writer.close()

    def applied(self) -> list[tuple[str, int]]:
        return [(applied.kind, applied.step) for applied in self.reader.applied()]


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Waiting]:
    run = RunStore(tmp_path).create(Recipe())
    passed = 0.0

    def sleep(seconds: float) -> None:
        nonlocal passed
        passed += seconds
        assert passed < 3_600, "it waits for ever"

    clock = SimpleNamespace(monotonic=lambda: passed, sleep=sleep, time=lambda: 0.0)
    for module in (control_module, free_space):
        monkeypatch.setattr(module, "time", clock)
    with small_disk(monkeypatch) as disk:
        waiting = Waiting(run, disk)
        yield waiting
        waiting.close()


def test_obeys_and_records_a_stop_on_a_full_disk(waiting: Waiting) -> None:
    assert not waiting.commit_step(lambda: waiting.ask("stop"))
    assert waiting.commits == 1
    assert waiting.control.stop_requested
    waiting.control.interrupt(LAST)
    assert waiting.disk.free == 0
    assert waiting.reader.phase() == Phase.INTERRUPTED
    assert waiting.applied() == [("stop", LAST + 1)]


def test_records_a_pause_and_delays_the_step_until_resumed(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bool] = []
    may_step = RunControl.may_step

    def look(control: RunControl) -> bool:
        """Check like the trainer before a paused step; first the disk gets room, then the run is resumed."""
        assert waiting.reader.phase() == Phase.PAUSED
        looks.append(is_waiting_for_space(waiting.run.path))
        if len(looks) == 1:
            waiting.disk.free = 1 << 30
        if len(looks) == 9:
            monkeypatch.setattr(RunControl, "may_step", may_step)
            waiting.ask("resume")
        return may_step(control)

    monkeypatch.setattr(RunControl, "may_step", look)
    assert waiting.commit_step(lambda: waiting.ask("pause"))
    assert waiting.commits == 2, "once before the pause, once after it"
    assert looks == [False] * 9, "it waits for a person, not for room"
    assert waiting.reader.phase() == Phase.RUNNING
    assert waiting.applied() == [("pause", LAST + 1), ("resume", LAST + 1)]


def test_commits_a_single_step_of_a_paused_run_when_there_is_room(waiting: Waiting) -> None:
    waiting.disk.free = 1 << 30
    waiting.control.set_phase(Phase.PAUSED, LAST)
    waiting.disk.free = 0

    def make_room() -> None:
        waiting.disk.free = 1 << 30

    assert waiting.commit_step(make_room)
    assert waiting.control.phase == Phase.PAUSED


def test_applies_a_learning_rate_after_the_pending_step_and_before_a_stop(
    waiting: Waiting,
) -> None:
    asked: list[str] = []

    def ask() -> None:
        asked.append(("learning_rate", "pause", "stop")[len(asked)])
        waiting.ask(asked[-1], value=0.5)
        assert waiting.applied() == []

    assert not waiting.commit_step(ask)
    assert asked == ["learning_rate", "pause", "stop"]
    assert waiting.control.learning_rate != 0.5
    waiting.control.interrupt(LAST)
    assert waiting.applied() == [("learning_rate", LAST + 1), ("pause", LAST + 1), ("stop", LAST + 1)]


def test_a_request_has_no_effect_until_it_is_recorded(waiting: Waiting) -> None:
    waiting.control.close()
    waiting.disk.free = 0
    waiting.ask("pause")
    with pytest.raises(apsw.FullError):
        waiting.control.poll(LAST, now=True)
    assert waiting.control.phase == waiting.reader.phase() == Phase.RUNNING
    waiting.disk.free = 1 << 30
    waiting.control.poll(LAST, now=True)
    assert waiting.control.phase == waiting.reader.phase() == Phase.PAUSED
    assert waiting.applied() == [("pause", LAST + 1)]


resource = pytest.importorskip("resource")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to a limit on its memory")
def test_a_model_beyond_the_limit_fails_with_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_limits, "_GRAPHICS_DRIVERS", ())
    monkeypatch.setattr(worker_limits, "_SLACK_BYTES", 50_000_000)
    monkeypatch.setattr(worker_limits, "_HEADROOM", 0)
    # 300 MB of parameters.
    model = {"dim": 512, "layers": 24, "heads": 2, "context": 8}
    run = RunStore(tmp_path).create(small_recipe(model=model), small_text())
    before = resource.getrlimit(resource.RLIMIT_DATA)
    assert train(run) is Phase.FAILED
    status = read_status(run)
    assert status.phase is Phase.FAILED
    assert status.message.startswith("training needs more memory than it may have (")
    assert status.message.endswith(
        "GB): begin a run with a smaller model, a shorter context or smaller batches"
    )
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


STEPS = 12


@pytest.mark.parametrize("kind", ["lazy", "sgd", "adam"])
def test_records_rows_that_move_by_a_millionth(tmp_path: Path, kind: str):
    # Only the first and the last matrix are kept whole; every other is rebuilt from moved rows.
    cadence = {"keyframe_every": 100, "checkpoint_every": 100, "verify_every": 5}
    run = make_run(tmp_path, steps=STEPS, cadence=cadence, optimiser={"kind": kind, "learning_rate": 1e-6})
    assert train(run) is Phase.FINISHED

    device = torch.device("cpu")
    learner = build_learner(run.recipe, len(run.vocabulary), device)
    batches = BatchReader(run.recipe, run.token_ids, device)
    before, largest = learner.model.embedding.weight.detach().numpy().copy(), 0.0
    with MatrixHistory(run) as history:
        pulses = [decode_as(data, Pulse) for _, data in history.steps.pulses(1, STEPS)]
        for step, pulse in enumerate(pulses, start=1):
            _, ids, targets = batches.batch(step)
            train_step(learner, ids, targets)
            now = learner.model.embedding.weight.detach().numpy().copy()
            ways = np.linalg.norm(now.astype(np.float64) - before, axis=1)
            assert pulse.moved_ids.tolist() == np.flatnonzero(ways).tolist() != []
            np.testing.assert_allclose(pulse.moved_distances, ways[pulse.moved_ids], rtol=1e-4)
            if kind != "adam":
                assert history.snapshot(step).vectors.tobytes() == now.tobytes()
            before, largest = now, max(largest, float(ways.max()))
    assert 0 < largest < 1e-4
