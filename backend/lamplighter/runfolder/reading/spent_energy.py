"""The energy that the training of a run took, as its record tells it: how much, since when, and how that is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lamplighter.platform.energy.energy_meter import SpentEnergy
from lamplighter.platform.energy.energy_method import EnergyMethod, MethodError, MethodName, method_error
from lamplighter.runfolder.tables.energy import METHODS_FACT, decode_energy, decode_methods
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
    used: tuple[EnergyMethod, ...]
    """All methods that the sum is made of, the first one first; at least one."""
    computed: int | None
    """Steps that it was spent on, each as often as it was computed; None where nobody counted them."""

    @property
    def method(self) -> EnergyMethod:
        """Return the newest method."""
        return self.used[-1]

    @property
    def names(self) -> list[MethodName]:
        """Return the names of all methods, the first one first."""
        return list(dict.fromkeys(method.name for method in self.used))

    @property
    def measured(self) -> bool:
        """Return whether no part of it is an estimate."""
        return "processor" not in self.names

    @property
    def error(self) -> MethodError | None:
        """Return the error of the sum; None where nobody knows it, as where its parts have different ones."""
        first, *others = {method_error(method) for method in self.used}
        return None if others else first


def read_run_energy(reader: StepsReader) -> RunEnergy | None:
    """Return the energy of a run; None where it was not measured.

    Raises:
        FormatError: the record holds an energy or a method that is none.
    """
    newest, methods = reader.newest_energy(1), decode_methods(reader.facts().get(METHODS_FACT))
    if not newest or not methods:
        return None
    (read_in, read_at, text), (attempt, last) = newest[0], reader.newest_step()
    # The last reading may be of a step that is superseded since.
    since = min(methods[0].after, last)
    step = max(min(read_at, last), since)
    spent = decode_energy(text)
    computed = spent.steps
    if computed is None and attempt == read_in == 1 and read_at <= last:
        # Nothing was superseded: the steps are as many as their numbers say.
        computed = step - since
    return RunEnergy(spent, since, step, tuple(used.method for used in methods), computed)


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
