"""The energy that training a run took, as recorded: the amount, since which step, and the method of measurement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lamplighter.platform.energy.energy_method import MethodError, SpentEnergy, method_error
from lamplighter.runfolder.tables.energy import METHOD_FACT, UsedMethod, decode_energy, decode_method
from lamplighter.runfolder.tables.steps_reader import StepsReader

_RECENT = 10
"""Readings in the moving average of the current power."""


@dataclass(frozen=True)
class RunEnergy:
    """The energy of a run up to now."""

    spent: SpentEnergy
    """Includes superseded and recomputed steps, which took energy too."""
    since: int
    """The step after which energy was measured; not 0 if a trainer without measurement began the run."""
    step: int
    """The step up to which energy was measured."""
    used: UsedMethod
    """The method of measurement."""

    @property
    def measured(self) -> bool:
        return self.used.method.name != "processor"

    @property
    def error(self) -> MethodError | None:
        """Return the error of the sum; None if it is unknown, as with mixed methods."""
        return None if self.used.mixed else method_error(self.used.method)


def read_run_energy(reader: StepsReader) -> RunEnergy | None:
    """Return the energy of a run; None if it was not measured, or by a method that this version does not know."""
    newest, used = reader.newest_energy(1), decode_method(reader.facts().get(METHOD_FACT))
    spent = decode_energy(newest[0][2]) if newest else None
    if spent is None or used is None:
        return None
    (_, read_at, _), (_, last) = newest[0], reader.newest_step()
    # The step of the last reading may have been superseded.
    since = min(used.after, last)
    return RunEnergy(spent, since, max(min(read_at, last), since), used)


def read_spent_at(reader: StepsReader, steps: Iterable[int]) -> dict[int, SpentEnergy]:
    """Return the known energy spent up to each given step with a reading, superseded steps included."""
    if (energy := read_run_energy(reader)) is None:
        return {}
    found = {
        step: decode_energy(text) for step, text in reader.energy_at(steps).items() if step >= energy.since
    }
    return {step: spent for step, spent in found.items() if spent is not None}


def read_recent_watts(reader: StepsReader) -> float | None:
    """Return the mean power of the last readings, in watts; None if there are too few."""
    texts = (text for *_, text in reader.newest_energy(_RECENT))
    if not (found := [spent for text in texts if (spent := decode_energy(text)) is not None]):
        return None
    seconds = found[0].seconds - found[-1].seconds
    return (found[0].joules - found[-1].joules) / seconds if seconds > 0 else None
