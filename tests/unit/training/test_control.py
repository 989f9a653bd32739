"""The requests that the trainer applies, and when a step is due."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training import control as control_module
from lamplighter.training.control import RunControl


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
