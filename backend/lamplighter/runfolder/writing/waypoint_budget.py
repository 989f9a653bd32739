"""Waypoints: the steps at which the model's state is kept, and which of them are dropped when there are too many.

All depends only on the recipe and the vocabulary size, so that a restarted trainer continues in the same way.
"""

from __future__ import annotations

from collections.abc import Collection

from lamplighter.contract.recipe import Recipe

EARLY_WAYPOINTS = (0, 1, 2, 5, 10, 20, 50)
"""Steps whose waypoints are never dropped: the model changes fastest here, and most questions are about them."""
MAX_WAYPOINTS = 200
"""Maximum waypoints of a run of any model size."""
_MIN_WAYPOINTS = len(EARLY_WAYPOINTS) + 1
"""The early waypoints and the last."""
_SHARE = 0.25
"""Share of the disk budget for waypoints. Those of a default run with 4,000 words fit at their first spacing."""
_MAX_SHARE = 0.5
"""Maximum share of the disk budget for the fewest waypoints."""


def estimate_checkpoint_bytes(recipe: Recipe, vocabulary: int, *, untrained: bool = False) -> int:
    """Return the bytes of a checkpoint: parameters, two optimiser moments for each (at step 0, `untrained`,
    there are none yet), and the counts of rows.
    """
    plain = untrained or recipe.optimiser.kind == "sgd"
    return recipe.model.parameter_count(vocabulary) * (4 if plain else 12) + 16 * vocabulary


def waypoint_room(recipe: Recipe, vocabulary: int) -> int:
    """Return the maximum waypoints of a run: at least 8, or 0 if 8 would exceed half of the disk budget."""
    if recipe.corpus.kind == "recorded":
        return 0
    size = estimate_checkpoint_bytes(recipe, vocabulary)
    if size * _MIN_WAYPOINTS > _MAX_SHARE * recipe.disk_budget:
        return 0
    return min(MAX_WAYPOINTS, max(_MIN_WAYPOINTS, int(_SHARE * recipe.disk_budget / size)))


def waypoint_spacing(step: int, every: int, room: int) -> int:
    """Return the steps between two waypoints of a run that has reached `step`: the recipe's spacing `every`,
    doubled until at most `room` waypoints, at least 8, are left.
    """
    while _MIN_WAYPOINTS + step // every > room:
        every *= 2
    return every


def is_waypoint_due(step: int, every: int, room: int) -> bool:
    """Return whether to keep the state after a step; arguments as for `waypoint_spacing`, but `room` may be 0."""
    return room > 0 and (step in EARLY_WAYPOINTS or step % waypoint_spacing(step, every, room) == 0)


def expected_waypoints(last: int, every: int, room: int) -> set[int]:
    """Return the steps with waypoints of a run that was never paused, after step `last`."""
    if not room:
        return set()
    spacing = waypoint_spacing(last, every, room)
    return {step for step in EARLY_WAYPOINTS if step <= last} | set(range(0, last + 1, spacing))


def surplus_waypoints(
    steps: Collection[int], every: int, room: int, starts: Collection[int] = ()
) -> list[int]:
    """Return the steps whose waypoints to drop so that `room`, at least 8, are left: never an early one, and
    never the last. Those of pauses are dropped first, then every second one of the others, the oldest
    first. `every`: the recipe's spacing. `starts`: steps from which an attempt continued at another
    learning rate; dropped last.
    """
    if len(steps) <= room:
        return []
    last = max(steps)
    spacing = waypoint_spacing(last, every, room)
    loose = [step for step in steps if step not in EARLY_WAYPOINTS and step != last and step % spacing]
    loose.sort(key=lambda step: (step in starts, step % every == 0, step))
    return loose[: len(steps) - room]
