"""The few steps of a run that its curves are made of, and those of them that have no complete measures yet.

The analyst of a run that is trained measures keyframes as they come, and skips some where it falls behind. A run that was
trained without it, or before there were as many measures as now, gets those of its curve afterwards.
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

MOST_CURVE_STEPS = 64
"""Most steps of a curve: each takes a matrix, and a long run has thousands."""
MARK = "nearest_cosine"
"""A measure that every complete set has, whatever the run has planted; sets of earlier versions lack it."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class CurveMeasures:
    """The steps of a run's curve as (attempt, step), ascending."""

    wanted: tuple[tuple[int, int], ...]
    lacking: tuple[tuple[int, int], ...]
    """Those of them that have no complete set of measures."""

    @property
    def filled(self) -> int:
        """Return how many have a complete set."""
        return len(self.wanted) - len(self.lacking)


def choose_curve_steps(run: RunFolder, history: MatrixHistory, last: int) -> list[int]:
    """Choose the steps of a run's curve up to `last`, ascending: those at which a keyframe was due, and the newest, as far
    as their matrices are kept exactly; of more than `MOST_CURVE_STEPS`, evenly spread ones with the first and the last."""
    exact = history.exact_steps()
    exact = exact[: int(np.searchsorted(exact, last, side="right"))]
    due = exact[exact % run.recipe.cadence.keyframe_every == 0].tolist()
    if len(exact) and (not due or due[-1] != exact[-1]):
        due.append(int(exact[-1]))
    return spread_evenly(due, MOST_CURVE_STEPS)


def spread_evenly(items: Sequence[Item], most: int) -> list[Item]:
    """Return at most `most` of some items, in their order: all, or evenly spread ones with the first and the last."""
    if len(items) <= most:
        return list(items)
    return [items[index * (len(items) - 1) // (most - 1)] for index in range(most)]


def read_curve_measures(run: RunFolder, history: MatrixHistory) -> CurveMeasures:
    """Read which steps make the curve of a run, and which of these have no complete measures.

    Raises:
        FormatError: this version cannot read the folder.
    """
    lineage, (_, last) = history.steps.lineage(), history.steps.newest_step()
    wanted = tuple((lineage.attempt_at(step), step) for step in choose_curve_steps(run, history, last))
    measured: set[tuple[int, int]] = set()
    with suppress(FileNotFoundError), MeasuresReader(run.measures_path) as reader:
        measured = reader.steps_with(MARK)
    return CurveMeasures(wanted, tuple(key for key in wanted if key not in measured))
