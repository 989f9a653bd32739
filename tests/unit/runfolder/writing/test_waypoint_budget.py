"""The steps with waypoints, and those dropped when there are too many."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from lamplighter.contract.recipe import Recipe
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
