"""The exchange of a step between the processes that train a run, and which process lags."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.exchanges import AnySplit, Exchange, ExchangesReader

WINDOW = 50
"""Steps, up to the one that is asked for, in which the slowest process is counted."""
_LEAST_STEPS = 10
_CHANCE = 0.00135
"""Chance names a process that does not lag in fewer windows than this: three standard deviations, on one side."""
_SLOWER = 1.1
"""A process lags only if it computes this many times as long as the mean of the others."""


@dataclass(frozen=True)
class SharedStep:
    """A step of several processes, and the steps before it."""

    split: AnySplit
    exchange: Exchange
    equal: int
    """Of the steps counted, those whose bytes all equal their formulas."""
    steps: int
    """Steps counted, at most `WINDOW`."""
    slowest: tuple[int, ...]
    """Of these, how many each process computed longest in; 1 / N of them by chance."""
    lagging: int | None
    """The process that lags; None if none certainly does."""


def read_split(run: RunFolder, lineage: Lineage, step: int) -> AnySplit | None:
    """Return how a run was split between processes at a step; None if one process trained it. Raises
    FormatError if the file cannot be read.
    """
    with suppress(FileNotFoundError), ExchangesReader(run.exchanges_path) as reader:
        return reader.split_at(lineage, step)
    return None


def read_shared_step(run: RunFolder, lineage: Lineage, step: int) -> SharedStep | None:
    """Return what was handed over in a step; None if one process trained it, or if it is not recorded. Raises
    FormatError if the file cannot be read.
    """
    with suppress(FileNotFoundError), ExchangesReader(run.exchanges_path) as reader:
        split = reader.split_at(lineage, step)
        if split is None:
            return None
        exchanges = dict(reader.exchanges(lineage, max(1, step - WINDOW + 1), step))
        # The number of processes may change where a run is resumed.
        found = [one for one in exchanges.values() if len(one.worked) == len(split.owners)]
        if not found or found[-1] is not exchanges[step]:
            raise FormatError("exchanges.sqlite: a step has another number of processes than its split")
        worked = [one.worked for one in found]
        slowest = count_slowest(worked, len(split.owners))
        equal = sum(_equals_formula(one, split) for one in found)
        return SharedStep(split, found[-1], equal, len(found), slowest, find_lagging(worked, slowest))
    return None


def _equals_formula(exchange: Exchange, split: AnySplit) -> bool:
    return all(exchange.bytes.get(kind) == size for kind, size in split.expected_bytes(exchange).items())


def count_slowest(worked: Sequence[Sequence[float]], processes: int) -> tuple[int, ...]:
    """Return in how many steps each process computed longest, from the seconds of each step."""
    slowest = [0] * processes
    for seconds in worked:
        slowest[max(range(processes), key=seconds.__getitem__)] += 1
    return tuple(slowest)


def find_lagging(worked: Sequence[Sequence[float]], slowest: Sequence[int]) -> int | None:
    """Return the process that computes longest surely more often than chance, and a tenth longer than the others do."""
    steps, processes = len(worked), len(slowest)
    if steps < _LEAST_STEPS or processes < 2:
        return None
    one = max(range(processes), key=slowest.__getitem__)
    chance = 1 / processes
    as_often = sum(
        math.comb(steps, times) * chance**times * (1 - chance) ** (steps - times)
        for times in range(slowest[one], steps + 1)
    )
    # It is the one that was most often the slowest: each of them might have been.
    surely = as_often * processes < _CHANCE
    own = sum(seconds[one] for seconds in worked)
    others = (sum(sum(seconds) for seconds in worked) - own) / (processes - 1)
    return one if surely and own > _SLOWER * others else None
