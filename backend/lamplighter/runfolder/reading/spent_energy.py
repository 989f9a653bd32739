"""The energy that the training of a run took, as its record tells it: how much, since when, and how that is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lamplighter.platform.energy.energy_meter import SpentEnergy
from lamplighter.platform.energy.energy_method import MethodError, method_error
from lamplighter.runfolder.tables.energy import METHOD_FACT, UsedMethod, decode_energy, decode_method
from lamplighter.runfolder.tables.steps_reader import StepsReader

_RECENT = 10
"""Readings over which the power of this moment is the mean."""


@dataclass(frozen=True)
class RunEnergy:
    """The energy of a run up to now."""

    spent: SpentEnergy
    """Superseded steps, and those that were computed again, included: they were paid for, too."""
    since: int
    """The step after which it was measured: not 0 where a trainer that measures went on with a run of one that did not."""
    step: int
    """The step up to which it is told."""
    used: UsedMethod
    """How it was measured."""
    computed: int | None
    """Steps that it was spent on, each as often as it was computed; None where they were not counted."""

    @property
    def measured(self) -> bool:
        """Return whether no part of it is an estimate."""
        return self.used.method.name != "processor"

    @property
    def error(self) -> MethodError | None:
        """Return the error of the sum; None where it is not known, as where methods are mixed."""
        return None if self.used.mixed else method_error(self.used.method)


def read_run_energy(reader: StepsReader) -> RunEnergy | None:
    """Return the energy of a run; None where it was not measured.

    Raises:
        FormatError: the record holds an energy or a method that is none.
    """
    newest, used = reader.newest_energy(1), decode_method(reader.facts().get(METHOD_FACT))
    if not newest or used is None:
        return None
    (read_in, read_at, text), (attempt, last) = newest[0], reader.newest_step()
    # The last reading may be of a step that is superseded since.
    since = min(used.after, last)
    step = max(min(read_at, last), since)
    spent = decode_energy(text)
    computed = spent.steps
    if computed is None and attempt == read_in == 1 and read_at <= last:
        # Nothing was superseded: the steps are as many as their numbers say.
        computed = step - since
    return RunEnergy(spent, since, step, used, computed)


def read_spent_at(reader: StepsReader, steps: Iterable[int]) -> dict[int, SpentEnergy]:
    """Return what was spent up to each of the given steps at which it was read, superseded steps included.

    Raises:
        FormatError: the record holds an energy that is none.
    """
    return {step: decode_energy(text) for step, text in reader.energy_at(steps).items()}


def read_recent_watts(reader: StepsReader) -> float | None:
    """Return the mean power of the last readings; None where there are too few of them.

    Raises:
        FormatError: the record holds an energy that is none.
    """
    found = [decode_energy(text) for *_, text in reader.newest_energy(_RECENT)]
    if not found:
        return None
    seconds = found[0].seconds - found[-1].seconds
    return (found[0].joules - found[-1].joules) / seconds if seconds > 0 else None
