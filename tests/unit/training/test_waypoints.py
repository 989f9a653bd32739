"""The waypoints of a trainer: their steps, their files, and their fate after a crash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import pytest
import torch
from safetensors.torch import load_file

from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.checkpoint import CheckpointFile, checkpoint_name, list_checkpoints, load_checkpoint
from lamplighter.model.learner import build_learner
from lamplighter.model.observer import Observer
from lamplighter.model.step import train_step
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.waypoint_budget import EARLY_WAYPOINTS, waypoint_room
from lamplighter.training import resume
from lamplighter.training.trainer import Progress
from lamplighter.training.worker import train
from tests.support.runs import make_run

CADENCE = {"keyframe_every": 20, "checkpoint_every": 15, "waypoint_every": 15, "verify_every": 10}
STEPS = 60


class CrashError(Exception):
    """A crash of the trainer right after it committed a step."""


def refuse_link(source: Path, target: Path) -> bool:
    return False


def nearly_nothing(path: Path) -> int:
    return 100_000


def new_run(folder: Path, **changes: Any) -> RunFolder:
    return make_run(folder, **({"steps": STEPS, "cadence": CADENCE} | changes))


def crash_after(run: RunFolder, step: int) -> None:
    def crash(progress: Progress) -> None:
        if progress.step == step:
            raise CrashError

    with pytest.raises(CrashError):
        train(run, on_progress=crash)


def kept(run: RunFolder) -> list[tuple[int, int]]:
    return [(file.step, file.attempt) for file in list_checkpoints(run.waypoints)]


def digests(run: RunFolder) -> dict[int, bytes]:
    with StepsReader(run.steps_path) as reader:
        return reader.digests(1, reader.newest_step()[1])


def execute(run: RunFolder, statement: str) -> None:
    connection = apsw.Connection(str(run.steps_path))
    connection.execute(statement)
    connection.close()


def events(run: RunFolder, kind: str) -> list[str]:
    with StepsReader(run.steps_path) as reader:
        return [event.message for event in reader.events() if event.kind == kind]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = new_run(tmp_path_factory.mktemp("finished"))
    assert train(run) is Phase.FINISHED
    return run


ALL = [(step, 1) for step in sorted({*EARLY_WAYPOINTS, 15, 30, 45, 60})]


def test_keeps_early_waypoints_and_multiples(finished: RunFolder) -> None:
    assert kept(finished) == ALL
    assert not list(finished.waypoints.glob("*.part"))
    assert events(finished, "waypoint") == []


def test_a_waypoint_that_is_a_checkpoint_is_the_same_file(finished: RunFolder) -> None:
    checkpoints = list_checkpoints(finished.checkpoints)
    assert [file.step for file in checkpoints] == [45, 60]
    for file in checkpoints:
        assert file.path.samefile(finished.waypoints / file.path.name)
    assert finished.bytes_on_disk() < sum(p.stat().st_size for p in finished.path.rglob("*") if p.is_file())


@pytest.mark.parametrize("step", [0, 2, 45])
def test_recomputes_the_next_steps_from_any_waypoint(finished: RunFolder, step: int) -> None:
    learner = build_learner(finished.recipe, len(finished.vocabulary), torch.device("cpu"))
    observer = Observer(learner, finished.recipe.cadence.verify_every)
    file = CheckpointFile(step, 1, finished.waypoints / checkpoint_name(step, 1))
    learner.set_learning_rate(load_checkpoint(file, learner, observer)["learning_rate"])
    batches = BatchReader(finished.recipe, finished.token_ids, torch.device("cpu"))
    recorded = digests(finished)
    for number in range(step + 1, step + 4):
        host_ids, ids, targets = batches.batch(number)
        result = train_step(learner, ids, targets)
        assert observer.observe(number, host_ids, result).digest() == recorded[number]


def test_waypoints_do_not_change_training(tmp_path: Path, finished: RunFolder) -> None:
    without = new_run(tmp_path, disk_budget=1_000_000)
    assert train(without) is Phase.FINISHED
    assert kept(without) == []
    assert digests(without) == digests(finished)


def test_the_replay_writes_missing_waypoints(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    # Crash between the commit of a step and its waypoint.
    crash_after(run, 20)
    assert (20, 1) not in kept(run)
    (run.waypoints / "0000000020-0001.part").write_bytes(b"half")
    assert train(run) is Phase.FINISHED
    assert kept(run) == ALL
    assert not list(run.waypoints.glob("*.part"))


def test_removes_waypoints_of_superseded_steps(tmp_path: Path) -> None:
    run = new_run(tmp_path, cadence=CADENCE | {"checkpoint_every": 1_000})
    crash_after(run, 25)
    execute(run, "UPDATE pulses SET digest=x'00' WHERE id & 0xffffffff = 12")
    assert kept(run)[-2:] == [(15, 1), (20, 1)]
    crash_after(run, 14)
    assert kept(run)[-1] == (10, 1)
    assert train(run) is Phase.FINISHED
    assert kept(run) == [(step, 1 if step < 12 else 2) for step, _ in ALL]


def test_removes_waypoints_of_steps_lost_in_a_power_cut(tmp_path: Path) -> None:
    run = new_run(tmp_path, cadence=CADENCE | {"checkpoint_every": 1_000})
    crash_after(run, 25)
    assert kept(run)[-1] == (20, 1)
    for table in ("pulses", "rows", "keyframes", "lines", "top_losses"):
        execute(run, f"DELETE FROM {table} WHERE id & 0xffffffff > 18")
    crash_after(run, 19)
    assert kept(run)[-1] == (15, 1)
    assert train(run) is Phase.FINISHED
    assert kept(run) == ALL


def test_a_damaged_checkpoint_leaves_no_damaged_waypoint(tmp_path: Path, finished: RunFolder) -> None:
    run = new_run(tmp_path)
    crash_after(run, 32)
    newest = list_checkpoints(run.checkpoints)[-1].path
    newest.write_bytes(newest.read_bytes()[:100])
    assert train(run) is Phase.FINISHED
    assert kept(run) == ALL
    whole = {path.name: path.stat().st_size for path in finished.waypoints.iterdir()}
    assert {path.name: path.stat().st_size for path in run.waypoints.iterdir()} == whole


def test_keeps_a_waypoint_of_a_pause_but_not_of_single_steps(tmp_path: Path) -> None:
    run = new_run(
        tmp_path, steps=2_000, cadence=CADENCE | {"waypoint_every": 1_000, "checkpoint_every": 1_000}
    )
    requests = RequestsWriter(run.path, "test")

    def ask(progress: Progress) -> None:
        if progress.step == 55:
            requests.add("step", {})
        elif progress.step > 55:
            with StepsReader(run.steps_path) as reader:
                if reader.facts()["phase"] != "paused":
                    return
            # Two single steps, then stop.
            singles.append(progress.step)
            requests.add("step" if len(singles) == 1 else "stop", {})

    singles: list[int] = []
    assert train(run, on_progress=ask) is Phase.INTERRUPTED
    paused = singles[0] - 1
    assert kept(run) == [*((step, 1) for step in EARLY_WAYPOINTS), (paused, 1)]


def test_a_long_run_keeps_as_many_waypoints_as_fit(tmp_path: Path) -> None:
    run = new_run(tmp_path, steps=200, cadence=CADENCE | {"waypoint_every": 10}, disk_budget=9_000_000)
    assert train(run) is Phase.FINISHED
    room = waypoint_room(run.recipe, len(run.vocabulary))
    steps = {step for step, _ in kept(run)}
    assert 8 < len(steps) <= room < 20
    assert {*EARLY_WAYPOINTS, 80, 160} <= steps


def test_writes_a_copy_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "link_durably", refuse_link)
    run = new_run(tmp_path, steps=15)
    assert train(run) is Phase.FINISHED
    checkpoint, waypoint = (folder / checkpoint_name(15, 1) for folder in (run.checkpoints, run.waypoints))
    assert not checkpoint.samefile(waypoint)
    first, second = (load_file(path) for path in (checkpoint, waypoint))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_skips_waypoints_on_a_nearly_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "spare_bytes", nearly_nothing)
    run = new_run(tmp_path, steps=20)
    assert train(run) is Phase.FINISHED
    assert kept(run) == []
    assert events(run, "waypoint") == [
        "no waypoint of step 0 is kept: the disk is nearly full; training goes on"
    ]
    assert [file.step for file in list_checkpoints(run.checkpoints)] == [15, 20]


def test_a_failed_waypoint_does_not_stop_training(tmp_path: Path) -> None:
    run = new_run(tmp_path, steps=20)
    run.waypoints.write_text("no folder")
    assert train(run) is Phase.FINISHED
    (message,) = events(run, "waypoint")
    assert message.startswith("no waypoint of step 0 is kept: ")
    assert [file.step for file in list_checkpoints(run.checkpoints)] == [15, 20]
