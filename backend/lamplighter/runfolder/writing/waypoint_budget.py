"""Waypoints: at which steps of a run the state of its model is kept, and which of them go when there are too many.

Everything follows from the recipe and the size of the vocabulary, so that a trainer that was killed goes on as it began.
"""

from __future__ import annotations

from collections.abc import Collection

from lamplighter.recipe import Recipe

EARLY_WAYPOINTS = (0, 1, 2, 5, 10, 20, 50)
"""Steps whose waypoints never go: most is asked about the first ones, where the model changes fastest."""
MAX_WAYPOINTS = 200
"""Maximum waypoints of a run, however small its model is."""
_FEWEST = len(EARLY_WAYPOINTS) + 1
"""The early ones and the last."""
_SHARE = 0.25
"""Share of the disk budget for waypoints. It holds a default run's at their first spacing, also with 4,000 words."""
_MAX_SHARE = 0.5
"""Share of the disk budget that the fewest may take."""


def estimate_checkpoint_bytes(recipe: Recipe, vocabulary: int, *, untrained: bool = False) -> int:
    """Return the bytes of a checkpoint: parameters, the optimiser's two moments of each, and the counts of rows.

    Args:
        recipe: the run's recipe.
        vocabulary: number of tokens V.
        untrained: whether it is of step 0, where an optimiser has no moments yet.
    """
    plain = untrained or recipe.optimiser.kind == "sgd"
    return recipe.model.parameter_count(vocabulary) * (4 if plain else 12) + 16 * vocabulary


def waypoint_room(recipe: Recipe, vocabulary: int) -> int:
    """Return how many waypoints a run may have: at least 8, or 0 where so few would take half of the disk budget."""
    if recipe.corpus.kind == "recorded":
        return 0
    size = estimate_checkpoint_bytes(recipe, vocabulary)
    if size * _FEWEST > _MAX_SHARE * recipe.disk_budget:
        return 0
    return min(MAX_WAYPOINTS, max(_FEWEST, int(_SHARE * recipe.disk_budget / size)))


def waypoint_spacing(step: int, every: int, room: int) -> int:
    """Return the steps between two waypoints of a run that has reached `step`.

    Args:
        step: the step.
        every: the spacing that the recipe asks for; it is doubled until the waypoints fit.
        room: the number of waypoints that the run may have, at least 8.
    """
    while _FEWEST + step // every > room:
        every *= 2
    return every


def is_waypoint_due(step: int, every: int, room: int) -> bool:
    """Return whether the state after a step is kept; arguments as of `waypoint_spacing`, and `room` may be 0."""
    return room > 0 and (step in EARLY_WAYPOINTS or step % waypoint_spacing(step, every, room) == 0)


def expected_waypoints(last: int, every: int, room: int) -> set[int]:
    """Return the steps whose waypoints a run that was never paused has after step `last`."""
    if not room:
        return set()
    spacing = waypoint_spacing(last, every, room)
    return {step for step in EARLY_WAYPOINTS if step <= last} | set(range(0, last + 1, spacing))


def surplus_waypoints(
    steps: Collection[int], every: int, room: int, starts: Collection[int] = ()
) -> list[int]:
    """Return the steps whose waypoints go so that `room` are left: never an early one, and never the last.

    Those of pauses go first, then every second one of the others, the oldest first among each.

    Args:
        steps: the steps of the waypoints that are there.
        every: the spacing that the recipe asks for.
        room: the number of waypoints that the run may have, at least 8.
        starts: steps that an attempt went on from at another learning rate; they go last.
    """
    if len(steps) <= room:
        return []
    last = max(steps)
    spacing = waypoint_spacing(last, every, room)
    loose = [step for step in steps if step not in EARLY_WAYPOINTS and step != last and step % spacing]
    loose.sort(key=lambda step: (step in starts, step % every == 0, step))
    return loose[: len(steps) - room]
