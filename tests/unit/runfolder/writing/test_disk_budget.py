"""The disk budget of a run: sizes at which moved rows stop, keyframes replace old ones, and keyframes stop.

The sizes are those of real files: the run's, and a filler that leaves the wanted space.


The steps with waypoints, and those dropped when there are too many.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.runfolder.writing.disk_budget import DiskBudget
from lamplighter.runfolder.writing.waypoint_budget import (
    EARLY_WAYPOINTS,
    MAX_WAYPOINTS,
    estimate_checkpoint_bytes,
    expected_waypoints,
    is_waypoint_due,
    surplus_waypoints,
    waypoint_room,
    waypoint_spacing,
)
from lamplighter.wire.frames import decode
from lamplighter.wire.layout_frames import Layout, Method

BUDGET = 10_000_000
ROWS, KEYFRAME = 1_000, 10_000
"""Bytes. Twelve such keyframes are far less than a tenth of the budget."""


@dataclass
class FilledRun:
    """A run with a given number of bytes left in its budget."""

    run: RunFolder
    writer: StepsWriter

    def commit(self, step: int, *, keyframe: bytes = b"matrix", replaced: int | None = None) -> None:
        self.writer.commit(
            StepRecord(step, b"pulse", b"digest", None, keyframe, b"census", replaced_keyframe=replaced)
        )

    def budget(
        self, left: float, *, reserve: int = 0, share: float = 1.0, empty_log: bool = True
    ) -> DiskBudget:
        """Return the budget with `left` bytes unused, before reserve and share."""
        if empty_log:
            self.writer.empty_wal()
        filling = self.run.path / "filling"
        filling.unlink(missing_ok=True)
        used = self.writer.max_bytes() + self.run.bytes_on_disk() - self.writer.bytes_used()
        with filling.open("wb") as file:
            file.truncate(BUDGET - used - int(left))
        budget = DiskBudget(self.run, self.writer, reserve=reserve, share=share)
        # The other files of the run are measured at its first step.
        assert budget.refresh(1, 0, 0, due=False) is None
        assert budget.bytes_left() == int(left) - reserve
        return budget


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[FilledRun]:
    run = RunStore(tmp_path).create(Recipe(disk_budget=BUDGET))
    with StepsWriter(run.steps_path) as writer:
        writer.start_attempt(0)
        yield FilledRun(run, writer)


@pytest.mark.parametrize(
    ("left", "keyframe", "snapshots"),
    [
        (0.101 * BUDGET + ROWS, KEYFRAME, "all"),
        (0.099 * BUDGET + ROWS, KEYFRAME, "keyframes"),
        # Twelve keyframes must fit, if that is more than a tenth.
        (12.1 * 200_000 + ROWS, 200_000, "all"),
        (11.9 * 200_000 + ROWS, 200_000, "keyframes"),
        # But half of the budget is for moved rows, however large a keyframe is.
        (0.501 * BUDGET + ROWS, 2_000_000, "all"),
        (0.499 * BUDGET + ROWS, 2_000_000, "keyframes"),
    ],
)
def test_stops_moved_rows_at_a_tenth_or_room_for_twelve_keyframes(
    filled: FilledRun, left: float, keyframe: int, snapshots: str
):
    budget = filled.budget(left)
    said = budget.refresh(1, ROWS, keyframe, due=False)
    assert budget.snapshots == snapshots
    assert said is None if snapshots == "all" else said and "10 MB is nearly used: only keyframes" in said


def test_counts_the_rows_of_the_current_step(filled: FilledRun):
    budget = filled.budget(0.101 * BUDGET)
    assert budget.refresh(1, 0, KEYFRAME, due=False) is None
    assert budget.refresh(2, 1_000, KEYFRAME, due=False) is None
    assert budget.refresh(3, int(0.002 * BUDGET), KEYFRAME, due=False)
    # Moved rows do not resume, and the message comes once.
    assert budget.refresh(4, 1, KEYFRAME, due=False) is None
    assert budget.snapshots == "keyframes"


def test_measures_the_rest_at_each_step_with_rows(filled: FilledRun):
    budget = filled.budget(0.101 * BUDGET + ROWS)
    assert budget.refresh(1, ROWS, KEYFRAME, due=False) is None
    filled.commit(1, keyframe=bytes(20_000))
    assert budget.refresh(2, ROWS, KEYFRAME, due=False)


@pytest.mark.parametrize(
    ("left", "snapshots"), [(0.021 * BUDGET + KEYFRAME, "keyframes"), (0.019 * BUDGET + KEYFRAME, "series")]
)
def test_replaces_keyframes_at_two_percent(filled: FilledRun, left: float, snapshots: str):
    for step in (10, 20, 30):
        filled.commit(step)
    budget = filled.budget(left)
    budget.snapshots = "keyframes"
    said = budget.refresh(40, 0, KEYFRAME, due=True)
    assert budget.snapshots == snapshots
    assert (budget.replaced_keyframe is None) == (snapshots == "keyframes") == (said is None)
    assert budget.has_room
    if said:
        assert "an old keyframe goes for each new one" in said
        assert budget.replaced_keyframe == filled.writer.find_surplus_keyframe(40)


def test_a_step_without_a_keyframe_replaces_none(filled: FilledRun):
    for step in (10, 20, 30):
        filled.commit(step)
    budget = filled.budget(0)
    budget.snapshots = "keyframes"
    assert budget.refresh(31, 0, KEYFRAME, due=False) is None
    assert (budget.snapshots, budget.replaced_keyframe) == ("keyframes", None)


def test_stops_keyframes_if_none_can_be_replaced(filled: FilledRun):
    filled.commit(10)
    budget = filled.budget(0.019 * BUDGET)
    said = budget.refresh(20, 0, KEYFRAME, due=True)
    assert budget.snapshots == "none"
    assert said
    assert "no more snapshots are kept" in said
    assert budget.refresh(30, 0, KEYFRAME, due=True) is None


def test_empties_the_wal_before_stopping_keyframes(filled: FilledRun):
    for step in (10, 20, 30):
        filled.commit(step)
    # Data in the WAL is on the disk twice: emptying it makes room.
    large = filled.writer.wal_bytes() - 2_000
    budget = filled.budget(1_000, empty_log=False)
    budget.snapshots = "series"
    budget.refresh(40, 0, large, due=True)
    assert filled.writer.wal_bytes() == 0
    assert budget.snapshots == "series"
    assert budget.has_room


def test_measures_other_files_every_fifty_steps(filled: FilledRun):
    budget = filled.budget(0.101 * BUDGET + ROWS)
    with (filled.run.path / "map").open("wb") as file:
        file.truncate(int(0.002 * BUDGET))
    assert budget.refresh(49, ROWS, KEYFRAME, due=False) is None
    assert budget.refresh(50, ROWS, KEYFRAME, due=False)


def test_subtracts_the_reserve_and_applies_the_share(filled: FilledRun):
    reserve = BUDGET // 10
    assert filled.budget(0.199 * BUDGET + ROWS, reserve=reserve).limit == BUDGET - reserve
    for left, snapshots in ((0.191, "all"), (0.189, "keyframes")):
        budget = filled.budget(left * BUDGET + ROWS, reserve=reserve)
        budget.refresh(1, ROWS, KEYFRAME, due=False)
        assert budget.snapshots == snapshots
    # A quarter of the budget is reserved, and a tenth of the rest is for keyframes.
    for left, snapshots in ((0.326, "all"), (0.324, "keyframes")):
        budget = filled.budget(left * BUDGET + ROWS, share=0.75)
        budget.refresh(1, ROWS, KEYFRAME, due=False)
        assert budget.snapshots == snapshots


def test_a_run_never_writes_past_its_budget(filled: FilledRun):
    """Fill a run with keyframes of a fiftieth of the free budget: a wrong threshold would let it grow by several."""
    budget = filled.budget(1_000_000)
    budget.snapshots = "keyframes"
    said: list[str] = []
    sizes: list[int] = []
    for step in range(1, 120):
        message = budget.refresh(step, 0, 20_000, due=True)
        said += [message] if message else []
        if budget.snapshots != "none" and budget.has_room:
            filled.commit(step, keyframe=bytes(20_000), replaced=budget.replaced_keyframe)
        sizes.append(filled.run.bytes_on_disk())
    assert max(sizes) <= BUDGET
    # It used the whole budget, and from then on each new keyframe replaced an old one.
    assert max(sizes) > BUDGET - 0.03 * BUDGET
    assert [budget.snapshots, len(said)] == ["series", 1]


def layout(step: int, method: Method, attempt: int = 1) -> Layout:
    return Layout(attempt, step, 0.0, method, np.eye(2, dtype=np.float32))


def test_thins_old_layouts_and_keeps_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "layouts.sqlite"
    with LayoutsWriter(path) as writer:
        for step in range(400):
            for method in (Method.LINEAR, Method.UMAP):
                writer.commit(layout(step, method))
            writer.thin_layouts(100)
        with LayoutsReader(path) as reader:
            entries = reader.layout_entries()
    assert len(entries) <= 100
    for method in (Method.LINEAR, Method.UMAP):
        steps = [e.step for e in entries if e.method == method]
        assert len(steps) > 40 // len(Method)
        assert steps[0] == 0
        newest = 40 // len(Method)
        assert steps[-newest:] == list(range(400 - newest, 400))


def test_keeps_few_layouts(tmp_path: Path) -> None:
    with LayoutsWriter(tmp_path / "layouts.sqlite") as writer:
        assert writer.thin_layouts(2) == 0
        for step in range(3):
            writer.commit(layout(step, Method.UMAP))
        assert writer.thin_layouts(3) == 0
        assert writer.thin_layouts(2) == 1


def test_the_last_written_layout_may_belong_to_an_earlier_step(tmp_path: Path) -> None:
    path = tmp_path / "layouts.sqlite"
    with LayoutsWriter(path) as writer:
        with LayoutsReader(path) as reader:
            assert reader.last_written(Method.UMAP) is None
        writer.commit(layout(90, Method.UMAP))
        writer.commit(layout(40, Method.UMAP, attempt=2))
        writer.commit(layout(95, Method.LINEAR))
        with LayoutsReader(path) as reader:
            record = reader.last_written(Method.UMAP)
    assert record is not None
    last = decode(record)
    assert (last.attempt, last.step) == (2, 40)


EARLY = set(EARLY_WAYPOINTS)


def grown(last: int, every: int, room: int, pauses: Collection[int] = ()) -> list[set[int]]:
    """Return the waypoints after each step at which one was written."""
    there: set[int] = set()
    seen: list[set[int]] = []
    for step in range(last + 1):
        if is_waypoint_due(step, every, room) or step in pauses:
            there.add(step)
            there -= set(surplus_waypoints(there, every, room))
            seen.append(set(there))
    return seen


def test_a_default_run_has_early_waypoints_and_one_every_250_steps() -> None:
    room = waypoint_room(Recipe(), 2_400)
    assert grown(5_000, 250, room)[-1] == EARLY | set(range(250, 5_001, 250))
    assert expected_waypoints(5_000, 250, room) == EARLY | set(range(250, 5_001, 250))
    # A user's text has a larger vocabulary, and gets the same spacing.
    assert waypoint_spacing(5_000, 250, waypoint_room(Recipe(), 4_000)) == 250


@pytest.mark.parametrize("room", [8, 9, 13, 40])
def test_a_run_of_any_length_keeps_the_early_waypoints_and_the_last(room: int) -> None:
    for there in grown(20_000, 100, room, set(range(37, 20_000, 950))):
        last = max(there)
        assert len(there) <= room
        assert {step for step in EARLY if step <= last} <= there
    spacing = waypoint_spacing(20_000, 100, room)
    assert set(range(0, 20_001, spacing)) <= grown(20_000, 100, room)[-1]


def test_the_spacing_doubles_as_the_run_grows() -> None:
    spacings = [waypoint_spacing(step, 250, 30) for step in range(0, 100_000, 250)]
    assert spacings == sorted(spacings)
    assert set(spacings) == {250 * 2**n for n in range(6)}


def test_drops_waypoints_of_pauses_first_and_starts_of_attempts_last() -> None:
    steps = [0, 1, 2, 5, 10, 20, 50, 100, 130, 200, 260, 300, 330, 400]
    assert surplus_waypoints(steps, 100, 14) == []
    assert surplus_waypoints(steps, 100, 13, starts=[130]) == [260]
    assert surplus_waypoints(steps, 100, 12, starts=[130]) == [260, 330]
    assert surplus_waypoints(steps, 100, 11, starts=[130]) == [260, 330, 100]
    assert surplus_waypoints(steps, 100, 9, starts=[130]) == [260, 330, 100, 200, 300]
    assert surplus_waypoints(steps, 100, 8, starts=[130]) == [260, 330, 100, 200, 300, 130]


def test_keeps_the_last_even_if_it_is_of_a_pause() -> None:
    assert surplus_waypoints([*EARLY_WAYPOINTS, 100, 130], 100, 8) == [100]


def sized(**changes: Any) -> int:
    return waypoint_room(Recipe.model_validate(changes), 2_400)


def test_room_depends_on_the_budget_and_the_model_size() -> None:
    assert sized(disk_budget=10**12) == MAX_WAYPOINTS
    size = estimate_checkpoint_bytes(Recipe(), 2_400)
    assert sized(disk_budget=60 * size) == 15
    # The early seven and the last may take at most half of it.
    assert sized(disk_budget=16 * size) == 8
    assert sized(disk_budget=16 * size - 1) == 0
    assert sized(optimiser={"kind": "sgd"}) > 2 * sized()
    assert sized(corpus={"kind": "recorded"}) == 0


def test_a_run_without_room_has_no_waypoints() -> None:
    assert not is_waypoint_due(0, 250, 0)
    assert expected_waypoints(5_000, 250, 0) == set()
