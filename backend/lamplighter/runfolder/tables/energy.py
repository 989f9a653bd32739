"""The energy that a training took so far, as the trainer measured it, and its form in the table `energy` of `steps.sqlite`:
JSON, a sum since the run began, with the number of steps that it is of.

The sum goes on in a new attempt, and where steps are computed again after a crash: what they took was spent, too, and all of
them are counted. How it was measured is a fact of the run, each
time that a trainer begins.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, cast

from lamplighter.platform.energy.energy_meter import SpentEnergy
from lamplighter.platform.energy.energy_method import MAX_WATTS, METHODS, OBSTACLES, EnergyMethod
from lamplighter.runfolder.errors import FormatError

METHODS_FACT = "energy_methods"
"""The fact with the methods by which the energy was measured, oldest first."""
MAX_METHODS = 16
"""Maximum methods that are kept: the first and the newest."""
_MOST_CHARACTERS = 200
_DIGITS = 9
_MOST_STEPS = 1 << 53


@dataclass(frozen=True)
class UsedMethod:
    """A method, and the step after which it was used."""

    method: EnergyMethod
    after: int

    def as_fact(self) -> dict[str, Any]:
        """Return it as an object of JSON."""
        method = self.method
        return {
            "name": method.name,
            "watts": method.watts,
            "obstacles": dict(method.obstacles),
            "after": self.after,
        }


def encode_energy(spent: SpentEnergy) -> str:
    """Return what was spent, as JSON: joules, processor seconds and seconds, and the number of steps if it is known."""
    values = (spent.joules, spent.processor_seconds, spent.seconds)
    numbers: list[float] = [float(f"{value:.{_DIGITS}g}") for value in values]
    if spent.steps is not None:
        numbers.append(spent.steps)
    return json.dumps(numbers, separators=(",", ":"))


def decode_energy(text: Any) -> SpentEnergy:
    """Return what was spent. A trainer of before wrote three numbers: it did not count its steps.

    Raises:
        FormatError: these are no finite numbers that are not negative, or not three or four.
    """
    try:
        if not isinstance(text, str) or len(text) > _MOST_CHARACTERS:
            raise ValueError
        found = cast("list[Any]", json.loads(text))
        if not isinstance(found, list) or any(isinstance(value, str | bool) for value in found):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError
        joules, processor_seconds, seconds, *counted = (float(value) for value in found)
        values = (joules, processor_seconds, seconds, *counted)
        if not all(math.isfinite(value) and value >= 0 for value in values):
            raise ValueError
        if len(counted) > 1 or not all(value.is_integer() and value <= _MOST_STEPS for value in counted):
            raise ValueError
    except (ValueError, TypeError, RecursionError, OverflowError):
        raise FormatError("steps.sqlite: the energy of a step is no three or four numbers") from None
    return SpentEnergy(joules, processor_seconds, seconds, int(counted[0]) if counted else None)


def decode_methods(found: Any) -> list[UsedMethod]:
    """Return the methods in a fact, oldest first; none where there is no such fact.

    Raises:
        FormatError: they are none of those that there are.
    """
    try:
        if found is None:
            return []
        if not isinstance(found, list) or len(found) > MAX_METHODS:  # pyright: ignore[reportUnknownArgumentType]
            raise ValueError
        return [_decode_method(one) for one in cast("list[Any]", found)]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise FormatError("steps.sqlite: the method by which its energy was measured is unknown") from None


def with_method(found: Any, method: EnergyMethod, after: int) -> list[dict[str, Any]]:
    """Return the methods in a fact, with the one that is used from now on where it is another."""
    known = decode_methods(found)
    if not known or known[-1].method != method:
        known.append(UsedMethod(method, after))
    # The first says since when there is a sum at all.
    kept = known if len(known) <= MAX_METHODS else [known[0], *known[1 - MAX_METHODS :]]
    return [one.as_fact() for one in kept]


def _decode_method(one: Any) -> UsedMethod:
    name, watts, after = one["name"], one["watts"], one["after"]
    obstacles = dict(one["obstacles"])
    if (
        name not in METHODS
        or isinstance(after, bool)
        or not isinstance(after, int)
        or after < 0
        or any(key not in METHODS or value not in OBSTACLES for key, value in obstacles.items())
    ):
        raise ValueError
    if watts is not None:
        watts = float(watts)
        if not 0 < watts <= MAX_WATTS:
            raise ValueError
    if (watts is None) == (name == "processor"):
        raise ValueError
    return UsedMethod(EnergyMethod(name, watts, obstacles), after)
