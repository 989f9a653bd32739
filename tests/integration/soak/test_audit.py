"""The audit of the soak detects every kind of loss from a run and every addition to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np
import pytest

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.layout_frames import Layout, Method
from tests.soak.audit import Seen, audit
from tests.soak.reference import ReferenceRun, train_reference
from tests.support.runs import finish, make_run, start_worker

STEPS = 30


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> ReferenceRun:
    return train_reference(tmp_path_factory.mktemp("truth"), {"steps": STEPS})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = make_run(tmp_path_factory.mktemp("trained"), steps=STEPS)
    assert finish(start_worker(run)) == 0
    return run.path


def sql(statement: str) -> Callable[[RunFolder], None]:
    def act(run: RunFolder) -> None:
        connection = apsw.Connection(str(run.steps_path))
        connection.execute(statement)
        connection.close()

    return act


def a_layout_of(attempt: int, step: int) -> Callable[[RunFolder], None]:
    def act(run: RunFolder) -> None:
        places = np.zeros((len(run.vocabulary), 2), np.float32)
        with LayoutsWriter(run.layouts_path) as writer:
            writer.commit(Layout(attempt, step, 1.0, Method.LINEAR, places))

    return act


def measures_of_another_step(run: RunFolder) -> None:
    with MeasuresWriter(run.measures_path) as writer:
        writer.commit(1, 10, {"purity": 0.123})


def half_a_checkpoint(run: RunFolder) -> None:
    path = next(run.checkpoints.glob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:-100])


def another_checkpoint(run: RunFolder) -> None:
    path = next(run.checkpoints.glob("*.safetensors"))
    path.rename(path.with_name("0000000003-0001.safetensors"))


def half_a_waypoint(run: RunFolder) -> None:
    path = run.waypoints / "0000000005-0001.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def a_waypoint_less(run: RunFolder) -> None:
    (run.waypoints / "0000000020-0001.safetensors").unlink()


def at_12(change: str) -> Callable[[RunFolder], None]:
    return sql(f"{change} WHERE id & 0xffffffff = 12")


DAMAGES: dict[str, tuple[Callable[[RunFolder], None], str]] = {
    "a step less": (at_12("DELETE FROM pulses"), "lost"),
    "the newest steps less": (sql("DELETE FROM pulses WHERE id & 0xffffffff > 27"), "lost"),
    "another digest": (at_12("UPDATE pulses SET digest=x'01'"), "lost"),
    "the pulse of another step": (
        at_12("UPDATE pulses SET record=(SELECT record FROM pulses LIMIT 1)"),
        "mixed",
    ),
    "no rows": (at_12("DELETE FROM rows"), "half_visible"),
    "half a record": (at_12("UPDATE rows SET record=x'4c414d50'"), "half_visible"),
    "the rows of another step": (at_12("UPDATE rows SET record=(SELECT record FROM rows LIMIT 1)"), "lost"),
    "an attempt nobody provoked": (sql("INSERT INTO attempts VALUES(2, 31, 1.0)"), "mixed"),
    "a layout of a step to come": (a_layout_of(1, 40), "lost"),
    "measures of another step": (measures_of_another_step, "mixed"),
    "half a checkpoint": (half_a_checkpoint, "half_visible"),
    "a checkpoint of another step": (another_checkpoint, "mixed"),
    "half a waypoint": (half_a_waypoint, "half_visible"),
    "a waypoint less": (a_waypoint_less, "lost"),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_what_is_wrong_is_counted(what: str, trained: Path, truth: ReferenceRun, tmp_path: Path) -> None:
    damage, kind = DAMAGES[what]
    run = RunFolder(tmp_path / trained.name)
    shutil.copytree(trained, run.path)
    with StepsReader(run.steps_path) as reader:
        seen: Seen = {(1, step): digest for step, digest in reader.digests(1, STEPS).items()}
    assert audit(run, truth, seen, 0, over=True).empty
    damage(run)
    faults = audit(run, truth, seen, 0, over=True)
    assert getattr(faults, kind), faults


def test_a_run_that_is_gone_is_lost(truth: ReferenceRun, tmp_path: Path) -> None:
    assert audit(RunFolder(tmp_path), truth, {(1, 1): b"x"}, 0).lost
