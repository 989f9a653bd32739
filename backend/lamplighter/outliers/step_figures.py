"""The figures by which the steps of a run are judged, read from its record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lamplighter.outliers.answer import Figure, OutlyingStep, OutlyingSteps, StepFigure
from lamplighter.outliers.outlying_values import FIRST, MIN_VALUES, Deviations, measure_deviations
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse

MAX_JUDGED = 20_000
"""Maximum steps that are judged at once: about a second of reading."""
CHANCE_LIMIT = 0.01
"""A step stands out if chance would put fewer than this number of steps so far off: one false alarm in a hundred runs."""

_AT_ONCE = 500
_FIGURES: tuple[Figure, ...] = ("loss", "gradient_norm", "rows_moved")


@dataclass(frozen=True)
class StepFigures:
    """The figures of consecutive steps."""

    first: int
    """The number of the first step."""
    values: dict[Figure, NDArray[np.float64]]
    """Each figure by step, shape (N,); NaN where it is not recorded."""

    @property
    def last(self) -> int:
        """Return the number of the last step."""
        return self.first + len(self.values["loss"]) - 1

    @cached_property
    def deviations(self) -> dict[Figure, Deviations]:
        """Return the deviations of each figure that is recorded in all steps, and varies."""
        measured: dict[Figure, Deviations] = {}
        for figure, values in self.values.items():
            if not np.isfinite(values).all():
                continue
            found = measure_deviations(_comparable(figure, values), skewed=figure == "gradient_norm")
            if found is not None:
                measured[figure] = found
        return measured

    def list_outlying(self, most: int) -> OutlyingSteps:
        """Return the steps that stand out, of which at most `most` are listed."""
        items = [
            OutlyingStep(step=step, figures=[one for one in figures if one.by_chance < CHANCE_LIMIT])
            for step in self._outlying_numbers()
            for figures in [self.of_step(step)]
        ]
        items.sort(key=lambda item: item.figures[0].by_chance)
        return OutlyingSteps(
            items=items[:most],
            first=min(self.first + FIRST, self.last + 1),
            last=self.last,
            figures=list(self.deviations),
            limit=CHANCE_LIMIT,
            found=len(items),
        )

    def of_step(self, step: int) -> list[StepFigure]:
        """Return the figures of a step beside what was expected, the least likely first."""
        place = step - self.first
        figures = [
            StepFigure(
                figure=figure,
                value=float(self.values[figure][place]),
                expected=_displayed(figure, found.expected[place]),
                spreads=float(found.spreads[place]),
                by_chance=float(min(found.by_chance[place] * len(self.deviations), len(found.spreads))),
            )
            for figure, found in self.deviations.items()
        ]
        return sorted(figures, key=lambda one: one.by_chance)

    def _outlying_numbers(self) -> list[int]:
        limit = CHANCE_LIMIT / max(len(self.deviations), 1)
        places = {
            int(place)
            for found in self.deviations.values()
            for place in np.flatnonzero(found.by_chance < limit)
        }
        return [self.first + place for place in sorted(places)]


def read_step_figures(
    reader: StepsReader, first: int, last: int, on_progress: Callable[[float], object] = lambda _: None
) -> StepFigures:
    """Read the figures of the recorded steps from `first` to `last`, inclusive, or the newest `MAX_JUDGED` of them.

    Args:
        reader: the run's steps.
        first, last: the steps; consecutive as all steps of a record.
        on_progress: called with the share done.

    Raises:
        FrameError: a pulse is damaged.
    """
    first = max(1, first, last - MAX_JUDGED + 1)
    rows: list[tuple[float, float, float]] = []
    for start in range(first, last + 1, _AT_ONCE):
        for _, record in reader.pulses(start, min(last, start + _AT_ONCE - 1), _AT_ONCE):
            rows.append(_read_figures(decode_as(record, Pulse)))
        on_progress((start + _AT_ONCE - first) / (last + 1 - first))
    table = np.array(rows, dtype=np.float64).reshape(-1, len(_FIGURES))
    return StepFigures(first, {figure: table[:, column] for column, figure in enumerate(_FIGURES)})


def enough_steps(first: int, last: int) -> bool:
    """Return whether there are enough steps from `first` to `last` for one to stand out."""
    return last - first + 1 >= MIN_VALUES


def _read_figures(pulse: Pulse) -> tuple[float, float, float]:
    norms = pulse.layer_norms.astype(np.float64)
    norm = float(np.sqrt(np.square(norms).sum())) if len(norms) else np.nan
    return pulse.loss, norm, float(len(pulse.moved_ids)) if pulse.moved_known else np.nan


def _comparable(figure: Figure, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values whose noise is of one size: the logarithm of norms, which grow and shrink by factors."""
    if figure != "gradient_norm" or not (values > 0).any():
        return values
    return np.log(np.maximum(values, values[values > 0].min()))


def _displayed(figure: Figure, expected: float) -> float:
    return float(np.exp(expected)) if figure == "gradient_norm" else float(expected)
