"""The hold before the first step: every way it ends, and what it never delays.

The requests that the trainer applies, and when a step is due.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.runfolder.tables.requests import RequestsWriter, ask_to_hold
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training import control as control_module
from lamplighter.training.control import MAX_HOLD_SECONDS, RunControl
from lamplighter.wire.layout_frames import Layout, Method

LONG = 60.0
"""Seconds; no test waits that long."""
Trainer = Callable[[], RunControl]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Return a run that must wait for its map."""
    return RunStore(tmp_path).create(Recipe(), prepare=lambda folder: ask_to_hold(folder, "s1", LONG))


@pytest.fixture
def trainer(run: RunFolder) -> Iterator[Trainer]:
    """Return a function that returns the control of a new trainer process at step 0."""
    with StepsWriter(run.steps_path) as writer, StepsReader(run.steps_path) as reader:

        def begin() -> RunControl:
            control = RunControl(run, writer, reader)
            control.poll(0, now=True)
            if not writer.attempt:
                writer.start_attempt(0)
                control.set_phase(Phase.RUNNING, 0, event="started")
            return control

        yield begin


def ask(run: RunFolder, kind: str) -> None:
    RequestsWriter(run.path, "s1").add(kind, {})


def lay_out(run: RunFolder, method: Method) -> None:
    with LayoutsWriter(run.layouts_path) as writer:
        writer.commit(Layout(1, 0, 0.0, method, np.zeros((3, 2), dtype=np.float32)))


def test_no_step_is_due_before_the_map_exists(run: RunFolder, trainer: Trainer) -> None:
    control = trainer()
    assert control.holding
    assert not control.may_step()
    status = read_status(run)
    assert (status.phase, status.step) == (Phase.RUNNING, 0)
    assert status.hold is not None
    assert 0 < status.hold.until - time.time() <= LONG
    assert status.hold.share == 0
    with LayoutsWriter(run.layouts_path) as writer:
        writer.set_facts({"warm_up": 0.25})
    lay_out(run, Method.LINEAR)
    control.poll(0, now=True)
    assert not control.may_step()
    hold = read_status(run).hold
    assert hold is not None
    assert hold.share == 0.25

    lay_out(run, Method.UMAP)
    control.poll(0, now=True)
    assert control.may_step()
    assert read_status(run).hold is None


@pytest.mark.parametrize("method", [Method.PCA, Method.REFIT])
def test_any_map_method_ends_the_hold(method: Method, run: RunFolder, trainer: Trainer) -> None:
    control = trainer()
    lay_out(run, method)
    control.poll(0, now=True)
    assert not control.holding


@pytest.mark.parametrize("kind", ["begin", "resume", "step"])
def test_a_request_ends_the_hold(kind: str, run: RunFolder, trainer: Trainer) -> None:
    control = trainer()
    ask(run, kind)
    control.poll(0, now=True)
    assert control.may_step()
    assert read_status(run).hold is None
    # Only one step was requested.
    assert control.may_step() is (kind != "step")


def test_a_stop_ends_the_hold(run: RunFolder, trainer: Trainer) -> None:
    control = trainer()
    ask(run, "stop")
    control.poll(0, now=True)
    assert control.stop_requested
    control.interrupt(0)
    status = read_status(run)
    assert (status.phase, status.hold) == (Phase.INTERRUPTED, None)
    # Continuing is not delayed either.
    ask(run, "continue")
    again = trainer()
    assert not again.holding
    assert again.may_step()


@pytest.mark.parametrize("kind", ["pause", "pace", "learning_rate"])
def test_other_requests_keep_the_hold(kind: str, run: RunFolder, trainer: Trainer) -> None:
    control = trainer()
    ask(run, kind)
    control.poll(0, now=True)
    assert control.holding


def test_a_pause_outlasts_the_map_and_begin_ends_both(run: RunFolder, trainer: Trainer) -> None:
    control = trainer()
    ask(run, "pause")
    lay_out(run, Method.UMAP)
    control.poll(0, now=True)
    assert not control.holding
    assert not control.may_step()
    ask(run, "begin")
    control.poll(0, now=True)
    assert control.may_step()


def test_the_trainer_enforces_the_time_limit(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(Recipe(), prepare=lambda folder: ask_to_hold(folder, "s1", 0.15))
    with StepsWriter(run.steps_path) as writer, StepsReader(run.steps_path) as reader:
        control = RunControl(run, writer, reader)
        control.poll(0, now=True)
        assert control.holding
        # There is neither a projector nor a server.
        while not control.may_step():
            control.poll(0)
        assert not control.holding


def test_the_next_trainer_waits_for_the_remaining_time(run: RunFolder, trainer: Trainer) -> None:
    trainer()
    hold = read_status(run).hold
    assert hold is not None
    assert trainer().holding
    assert read_status(run).hold == hold
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({"hold_until": time.time() - 1})
    assert not trainer().holding


def test_a_clock_set_back_prolongs_the_hold_by_a_bounded_time(run: RunFolder) -> None:
    from lamplighter.training.control import StartHold

    far = StartHold.continue_from({"hold_until": time.time() + 1e9})
    assert far is not None
    assert far.deadline <= time.monotonic() + MAX_HOLD_SECONDS
    for wrong in (None, "soon", float("nan")):
        assert StartHold.continue_from({"hold_until": wrong}) is None
    for wrong in (None, "long", 0, -1, True):
        assert StartHold.begin(wrong) is None


def test_there_is_no_hold_after_the_first_step(run: RunFolder) -> None:
    with StepsWriter(run.steps_path) as writer, StepsReader(run.steps_path) as reader:
        writer.start_attempt(0)
        control = RunControl(run, writer, reader)
        control.poll(7, now=True)
        assert not control.holding
        assert [applied.kind for applied in reader.applied()] == ["hold"]


def test_a_run_started_without_a_server_is_not_held(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(Recipe(), prepare=lambda folder: ask_to_hold(folder, "s1", 0))
    assert not list(run.path.glob("requests-*"))
    with StepsWriter(run.steps_path) as writer, StepsReader(run.steps_path) as reader:
        control = RunControl(run, writer, reader)
        control.poll(0, now=True)
        assert control.may_step()


def test_leaves_map_requests_to_the_projector(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(Recipe())
    requests = RequestsWriter(run.path, "s1")
    requests.add("map", {"neighbours": 9})
    requests.add("pace", {"steps_per_second": 4})
    requests.add("map", {"neighbours": 10})
    with StepsWriter(run.steps_path) as writer, StepsReader(run.steps_path) as reader:
        writer.start_attempt(0)
        control = RunControl(run, writer, reader)
        control.poll(0, now=True)
        assert control.steps_per_second == 4
        assert [applied.kind for applied in reader.applied()] == ["pace"]


def test_limits_steps_to_the_pace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunStore(tmp_path).create(Recipe())
    RequestsWriter(run.path, "s1").add("pace", {"steps_per_second": 10})
    passed = 0.0

    def sleep(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    monkeypatch.setattr(
        control_module, "time", SimpleNamespace(monotonic=lambda: passed, sleep=sleep, time=lambda: 0.0)
    )
    with StepsWriter(run.steps_path) as writer, StepsReader(run.steps_path) as reader:
        writer.start_attempt(0)
        control = RunControl(run, writer, reader)
        control.poll(0, now=True)
        control.set_phase(Phase.RUNNING, 0)
        begun, steps = passed, 0
        while passed < begun + 2:
            steps += control.may_step()
        # The first step is due immediately.
        assert 20 <= steps <= 21


def test_rejects_unknown_phases(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create(Recipe())
    with StepsWriter(run.steps_path) as writer, StepsReader(run.steps_path) as reader:
        writer.start_attempt(0)
        control = RunControl(run, writer, reader)
        with pytest.raises(ValueError, match="done"):
            control.set_phase("done", 0)  # pyright: ignore[reportArgumentType]
        assert (control.phase, reader.phase(), reader.events()) == (Phase.WAITING, Phase.WAITING, [])
        writer.set_facts({"phase": "done"})
        with pytest.raises(FormatError, match="'done' is not a phase"):
            reader.phase()
