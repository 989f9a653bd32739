"""The energy of training, in the table `energy` of `steps.sqlite`: JSON with the sum since the run began, and its
number of steps.

The sum continues across attempts and includes steps recomputed after a crash. The method of measurement is a fact of
the run.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from lamplighter.platform.energy.energy_method import MAX_WATTS, METHODS, EnergyMethod, SpentEnergy

METHOD_FACT = "energy_methods"
"""The fact with the method by which the energy was measured: a list of one object, of several in earlier runs."""
_MAX_CHARACTERS = 200
_DIGITS = 9
_MAX_STEPS = 1 << 53


@dataclass(frozen=True)
class UsedMethod:
    """The method of the whole sum."""

    method: EnergyMethod
    """The least exact method if several were used."""
    after: int
    """The step after which the energy was measured."""
    mixed: bool = False
    """True if several methods were used."""

    def add_method(self, method: EnergyMethod) -> UsedMethod:
        """Return the method of the sum once a trainer continues it by `method`."""
        worst = max(method, self.method, key=lambda one: METHODS.index(one.name))
        without_card = self.method.without_card or method.without_card
        mixed = self.mixed or method != self.method
        return UsedMethod(replace(worst, without_card=without_card), self.after, mixed)

    def as_fact(self) -> list[dict[str, Any]]:
        return [{**asdict(self.method), "after": self.after, "mixed": self.mixed}]


def encode_energy(spent: SpentEnergy) -> str:
    """Return the spent energy as JSON: joules, processor seconds, seconds, and the number of steps."""
    values = (spent.joules, spent.processor_seconds, spent.seconds)
    numbers = [float(f"{value:.{_DIGITS}g}") for value in values]
    return json.dumps([*numbers, spent.steps], separators=(",", ":"))


def decode_energy(text: Any) -> SpentEnergy | None:
    """Return the spent energy; None if it is unknown: the text is not four finite non-negative numbers."""
    try:
        if not isinstance(text, str) or len(text) > _MAX_CHARACTERS:
            raise ValueError
        found = cast("list[Any]", json.loads(text))
        if not isinstance(found, list) or any(isinstance(value, str | bool) for value in found):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError
        values = joules, processor_seconds, seconds, steps = [float(value) for value in found]
        if not all(math.isfinite(value) and value >= 0 for value in values):
            raise ValueError
        if not steps.is_integer() or steps > _MAX_STEPS:
            raise ValueError
    except (ValueError, TypeError, RecursionError, OverflowError):
        return None
    return SpentEnergy(joules, processor_seconds, seconds, int(steps))


def decode_method(found: Any) -> UsedMethod | None:
    """Return the method in a fact; None if the fact is missing or of an unknown method: the energy is then unknown."""
    try:
        # Earlier trainers listed each method that they used.
        used, *others = map(_decode_object, found)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None
    for other in others:
        used = used.add_method(other.method)
    return used


def join_method(found: Any, method: EnergyMethod, after: int) -> list[dict[str, Any]]:
    """Return the fact for a run that a trainer continues by `method` after step `after`. `found`: the previous fact."""
    known = decode_method(found)
    return (UsedMethod(method, after) if known is None else known.add_method(method)).as_fact()


def _decode_object(one: Any) -> UsedMethod:
    name, watts, after, mixed = one["name"], one["watts"], one["after"], one.get("mixed", False)
    # Earlier trainers wrote why they did not use a better method, by its name.
    of_card = one.get("obstacles", {}).get("nvml", "processor_only")
    without_card = one.get("without_card", of_card != "processor_only")
    if name not in METHODS or isinstance(after, bool) or not isinstance(after, int) or after < 0:
        raise ValueError
    if not isinstance(mixed, bool) or not isinstance(without_card, bool):
        raise ValueError
    if watts is not None:
        watts = float(watts)
        if not 0 < watts <= MAX_WATTS:
            raise ValueError
    if (watts is None) == (name == "processor"):
        raise ValueError
    return UsedMethod(EnergyMethod(name, watts, without_card), after, mixed)
