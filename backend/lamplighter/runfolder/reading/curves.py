"""The steps sampled for a run's curves, and those of them without complete measures; and the curves of a set: measures of its
members on common steps, with their quantiles.

The analyst measures keyframes during training, and skips some when it falls behind. Runs trained without it, or before
all measures existed, are measured afterwards at these steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode
from lamplighter.wire.pulse_frames import Pulse

MAX_CURVE_STEPS = 64
"""Maximum steps of a curve: each takes a matrix, and a long run has thousands."""
MARK = "anisotropy"
"""A measure that every complete set has, and that sets of earlier versions lack."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class CurveMeasures:
    """The steps of a run's curve as (attempt, step), ascending."""

    wanted: tuple[tuple[int, int], ...]
    lacking: tuple[tuple[int, int], ...]
    """The wanted steps that have no complete set of measures."""

    @property
    def filled(self) -> int:
        return len(self.wanted) - len(self.lacking)


def choose_curve_steps(run: RunFolder, history: MatrixHistory, last: int) -> list[int]:
    """Choose the steps of a run's curve up to `last`, ascending. Candidates are the newest step and those at which a
    keyframe was due, if their matrices are kept exactly; at most `MAX_CURVE_STEPS` of them, evenly spread."""
    exact = history.exact_steps()
    exact = exact[: int(np.searchsorted(exact, last, side="right"))]
    due = exact[exact % run.recipe.cadence.keyframe_every == 0].tolist()
    if len(exact) and (not due or due[-1] != exact[-1]):
        due.append(int(exact[-1]))
    return spread_evenly(due, MAX_CURVE_STEPS)


def spread_evenly(items: Sequence[Item], most: int) -> list[Item]:
    """Return at most `most` items in their order, evenly spread, with the first and the last."""
    if len(items) <= most:
        return list(items)
    return [items[index * (len(items) - 1) // (most - 1)] for index in range(most)]


def read_curve_measures(run: RunFolder, history: MatrixHistory) -> CurveMeasures:
    """Read the steps of a run's curve, and which of them lack complete measures. Raises FormatError if this
    version cannot read the folder.
    """
    lineage, (_, last) = history.steps.lineage(), history.steps.newest_step()
    wanted = tuple((lineage.attempt_at(step), step) for step in choose_curve_steps(run, history, last))
    measured: set[tuple[int, int]] = set()
    with suppress(FileNotFoundError), MeasuresReader(run.measures_path) as reader:
        measured = reader.steps_with(MARK)
    return CurveMeasures(wanted, tuple(key for key in wanted if key not in measured))


LOSS, LOSS_HELD_OUT = "loss", "loss_held_out"
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
MAX_STEPS = 200
"""Maximum steps of a curve."""
_LOSS_STEPS = 100
"""Steps at which the loss is read, at most."""
_BATCHES = 16
"""Batches whose mean is the loss at a step, as of the measure `loss_read`."""
_MAX_NAMES = 500
_MAX_VALUES = 10_000
"""Values of one measure read from one member."""

Keep = Callable[[Hashable, Callable[[], Any]], Any]
"""Returns the kept value of a key, or makes it."""


def make_always(_key: Hashable, make: Callable[[], Any]) -> Any:
    return make()


@dataclass(frozen=True)
class SetCurve:
    """A measure of several runs by step."""

    name: str
    steps: NDArray[np.int64]
    """Shape (N,), ascending."""
    lines: NDArray[np.float64]
    """Shape (M, N): the value of each run at each step; NaN where it has none."""

    @property
    def count(self) -> NDArray[np.int64]:
        """Return the number of runs with a value at each step, shape (N,)."""
        return np.isfinite(self.lines).sum(axis=0)

    @property
    def quantiles(self) -> NDArray[np.float64]:
        """Return the `QUANTILES` over the runs at each step, shape (5, N)."""
        found = np.full((len(QUANTILES), len(self.steps)), np.nan)
        for column in np.flatnonzero(self.count):
            values = self.lines[:, column]
            found[:, column] = np.quantile(values[np.isfinite(values)], QUANTILES)
        return found


@dataclass(frozen=True)
class _Moment:
    """The steps of a run as of now."""

    lineage: Lineage
    last: int


def read_curves(runs: Sequence[RunFolder], names: Sequence[str], keep: Keep = make_always) -> list[SetCurve]:
    """Read measures of several runs; a run that cannot be read has no values. `names`: names of measures, and
    `loss`: the mean of the last batches up to a step; `keep`: keeps what belongs to steps that never
    change.
    """
    moments = [_read_moment(run) for run in runs]
    longest = max((moment.last for moment in moments if moment is not None), default=0)
    every = max(1, -(-longest // _LOSS_STEPS))
    curves: list[SetCurve] = []
    for name in names:
        found = [
            {} if moment is None else _read_values(run, moment, name, every, moment.last == longest, keep)
            for run, moment in zip(runs, moments, strict=True)
        ]
        steps = spread_evenly(_common_steps(found), MAX_STEPS)
        lines = [[values.get(step, np.nan) for step in steps] for values in found]
        shape = (len(runs), len(steps))
        curves.append(SetCurve(name, np.array(steps, np.int64), np.array(lines, np.float64).reshape(shape)))
    return curves


def read_measure_names(runs: Sequence[RunFolder]) -> list[str]:
    """Return the names of all measures that any of the runs has, the losses first."""
    found: set[str] = set()
    for run in runs:
        with suppress(*READ_ERRORS), MeasuresReader(run.measures_path) as reader:
            found.update(reader.names(_MAX_NAMES))
    return [LOSS, LOSS_HELD_OUT, *sorted(found - {LOSS, LOSS_HELD_OUT})[:_MAX_NAMES]]


def last_common_step(runs: Sequence[RunFolder]) -> int | None:
    """Return the last step that all finished runs have, or, if none is finished, all with any step; None if none has one.

    A run that failed early would hold the others at its last step.
    """
    last = {run.id: moment.last for run in runs if (moment := _read_moment(run)) is not None}
    finished = [last[run.id] for run in runs if run.id in last and _is_finished(run)]
    return min(finished or last.values(), default=None)


def _is_finished(run: RunFolder) -> bool:
    with suppress(*READ_ERRORS):
        return read_status(run).phase is Phase.FINISHED
    return False


def _read_moment(run: RunFolder) -> _Moment | None:
    with suppress(*READ_ERRORS), StepsReader(run.steps_path) as reader:
        lineage = reader.lineage()
        return _Moment(lineage, reader.newest_step()[1]) if lineage else None
    return None


def _common_steps(found: Sequence[dict[int, float]]) -> list[int]:
    """Return the steps at which more than half of the runs have a value that have one there or later, ascending.

    Where one alone has a value, such as at its own last step, the band would bend to it.
    """
    ends = np.sort([max(values) for values in found if values])
    return [
        step
        for step, count in sorted(Counter(step for values in found for step in values).items())
        if 2 * count > len(ends) - np.searchsorted(ends, step)
    ]


def _read_values(
    run: RunFolder, moment: _Moment, name: str, every: int, is_longest: bool, keep: Keep
) -> dict[int, float]:
    if name == LOSS:
        key = (str(run.path), run.created, moment.lineage, moment.last, "set loss", every, is_longest)
        return keep(key, lambda: _read_losses(run, moment.last, every, is_longest))
    with suppress(*READ_ERRORS):
        if name == LOSS_HELD_OUT:
            # Here without an analyst, too.
            with StepsReader(run.steps_path) as reader:
                return reader.held_out_losses(0, moment.last)
        with MeasuresReader(run.measures_path) as reader:
            return reader.curve(name, moment.lineage, _MAX_VALUES)
    return {}


def _read_losses(run: RunFolder, last: int, every: int, is_longest: bool) -> dict[int, float]:
    """Return the mean loss of the last batches up to every `every`-th step, and up to the last of the longest run."""
    found: dict[int, float] = {}
    with suppress(*READ_ERRORS), StepsReader(run.steps_path) as reader:
        for step in sorted({1, *range(every, last + 1, every), *([last] if is_longest else [])} - {0}):
            pulses = (decode(record) for _, record in reader.pulses(max(1, step - _BATCHES + 1), step))
            losses = [pulse.loss for pulse in pulses if isinstance(pulse, Pulse)]
            if losses:
                found[step] = sum(losses) / len(losses)
    return found
