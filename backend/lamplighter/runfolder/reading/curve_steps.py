"""The steps sampled for a run's curves, and those of them without complete measures.

The analyst measures keyframes during training, and skips some when it falls behind. Runs trained without it, or before
all measures existed, are measured afterwards at these steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.measures import MeasuresReader

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
