"""The figures by which the steps of a run are judged, read from its record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lamplighter.outliers.answer import Figure, OutlyingKind, OutlyingStep, OutlyingSteps, StepFigure
from lamplighter.outliers.outlying_values import FIRST, MIN_VALUES, Deviations, Stretch, measure_deviations
from lamplighter.runfolder.step_numbers import StepNumbers, read_step_numbers
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse

MAX_JUDGED = 20_000
"""Maximum steps that are judged at once: about a second of reading."""
CHANCE_LIMIT = 0.01
"""A step stands out if chance would put fewer than this number of steps so far off: one false alarm in a hundred runs."""

_AT_ONCE = 500
_TOGETHER = 3
"""Steps between which jumps of several figures are one."""
_MOST_STRETCHES, _MOST_SHARE = 10, 0.02
"""The most stretches of steps, or of all steps, in which a figure may be NaN and count as recorded."""
_FIGURES: tuple[Figure, ...] = ("loss", "gradient_norm", "rows_moved")


@dataclass(frozen=True)
class JudgedFigures:
    """The figures of consecutive steps."""

    first: int
    """The number of the first step."""
    values: dict[Figure, NDArray[np.float64]]
    """Each figure by step, shape (N,); NaN where it is not recorded, or no number."""
    numbers: StepNumbers

    @property
    def last(self) -> int:
        return self.first + len(self.values["loss"]) - 1

    @cached_property
    def _judged(self) -> int:
        """Return how many figures vary, among which chance has its tries."""
        known = (values[np.isfinite(values)] for values in self.values.values())
        return max(1, sum(len(one) >= MIN_VALUES and bool(np.ptp(one) > 0) for one in known))

    @cached_property
    def deviations(self) -> dict[Figure, Deviations]:
        """Return the deviations of each figure that is recorded, and varies."""
        measured: dict[Figure, Deviations] = {}
        for figure, values in self.values.items():
            found = measure_deviations(_comparable(figure, values), CHANCE_LIMIT / self._judged)
            if found is not None:
                measured[figure] = found
        return measured

    @cached_property
    def not_finite(self) -> dict[Figure, list[tuple[int, int]]]:
        """Return the places from and to which a figure that is recorded is no finite number."""
        return {
            figure: _not_finite(values) for figure, values in self.values.items() if figure != "rows_moved"
        }

    def list_outlying(self, most: int) -> OutlyingSteps:
        found: list[tuple[OutlyingKind, int, int, StepFigure]] = []
        for figure, places in self.not_finite.items():
            for from_, to in places:
                found.append(("not_finite", from_, to, _no_number(figure)))
        for figure, deviations in self.deviations.items():
            for one in deviations.stretches:
                found.append((one.kind, one.first, one.last, self._tell(figure, one.value, one)))
        items: list[OutlyingStep] = []
        for kind, from_, to, told in sorted(found, key=lambda one: one[3].by_chance):
            first, last = self.first + from_, self.first + to
            same = (one for one in items if one.kind == kind and _is_same(one, first, last))
            if (item := next(same, None)) is not None:
                item.figures.append(told)
                continue
            items.append(
                OutlyingStep(
                    step=first,
                    until=last,
                    number=self.numbers.number_of(first),
                    until_number=self.numbers.number_of(last),
                    kind=kind,
                    figures=[told],
                )
            )
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
            _no_number(figure)
            for figure, stretches in self.not_finite.items()
            if any(from_ <= place <= to for from_, to in stretches)
        ]
        for figure, found in self.deviations.items():
            value = _comparable(figure, self.values[figure])[place]
            if np.isfinite(value):
                expected = value if np.isnan(found.expected[place]) else found.expected[place]
                beside = Stretch(
                    "spike", place, place, value, expected, found.spreads[place], found.by_chance[place]
                )
                figures.append(self._tell(figure, value, beside))
        return sorted(figures, key=lambda one: one.by_chance)

    def _tell(self, figure: Figure, value: float, one: Stretch) -> StepFigure:
        return StepFigure(
            figure=figure,
            value=_displayed(figure, value),
            expected=_displayed(figure, one.expected),
            spreads=float(one.spreads),
            by_chance=float(min(one.by_chance * self._judged, len(self.values[figure]))),
        )


def _no_number(figure: Figure) -> StepFigure:
    return StepFigure(figure=figure, value=None, expected=None, spreads=None, by_chance=0.0)


def _is_same(one: OutlyingStep, first: int, last: int) -> bool:
    """Return whether a stretch of another figure is told with an item: they overlap; of jumps, they begin together."""
    if one.kind == "jump":
        return abs(one.step - first) <= _TOGETHER
    return first <= one.until and one.step <= last


def _not_finite(values: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return the first and last places of stretches without a finite number, after the first that is recorded.

    A figure that is not recorded is NaN as well: if there are many stretches, it is recorded only now and then.
    """
    if np.isnan(values).all():
        return []
    start = int(np.argmin(np.isnan(values)))
    bad = ~np.isfinite(values[start:])
    edges = start + np.flatnonzero(np.diff(np.r_[False, bad, False]))
    stretches = [(int(one), int(two) - 1) for one, two in edges.reshape(-1, 2)]
    if len(stretches) <= max(_MOST_STRETCHES, _MOST_SHARE * len(values)):
        return stretches
    return [(one, two) for one, two in stretches if np.isinf(values[one : two + 1]).any()]


def read_judged_figures(
    reader: StepsReader, first: int, last: int, on_progress: Callable[[float], object] = lambda _: None
) -> JudgedFigures:
    """Read the figures of the recorded steps from `first` to `last`, or the newest `MAX_JUDGED` of them.
    `on_progress` is called with the share done.
    """
    first = max(1, first, last - MAX_JUDGED + 1)
    rows: list[tuple[float, float, float]] = []
    for start in range(first, last + 1, _AT_ONCE):
        for _, record in reader.pulses(start, min(last, start + _AT_ONCE - 1), _AT_ONCE):
            rows.append(_read_figures(decode_as(record, Pulse)))
        on_progress((start + _AT_ONCE - first) / (last + 1 - first))
    table = np.array(rows, dtype=np.float64).reshape(-1, len(_FIGURES))
    values: dict[Figure, NDArray[np.float64]] = {
        figure: table[:, column] for column, figure in enumerate(_FIGURES)
    }
    return JudgedFigures(first, values, read_step_numbers(reader.facts()))


def enough_steps(first: int, last: int) -> bool:
    return last - first + 1 >= MIN_VALUES


def _read_figures(pulse: Pulse) -> tuple[float, float, float]:
    norms = pulse.layer_norms.astype(np.float64)
    norm = float(np.sqrt(np.square(norms).sum())) if len(norms) else np.nan
    return pulse.loss, norm, float(len(pulse.moved_ids)) if pulse.moved_known else np.nan


def _comparable(figure: Figure, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values whose noise is of one size: the logarithm of norms, which grow and shrink by factors."""
    if figure != "gradient_norm":
        return values
    least = values[(values > 0) & np.isfinite(values)].min(initial=np.inf)
    return np.log(np.maximum(values, least)) if np.isfinite(least) else values


def _displayed(figure: Figure, value: float) -> float:
    return float(np.exp(value)) if figure == "gradient_norm" else float(value)
