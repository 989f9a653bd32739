"""The reading of the turning points of a run from its folder."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from lamplighter.outliers.turning_points.answer import TurningPoint, TurningPoints
from lamplighter.outliers.turning_points.curves import Curve, read_curves
from lamplighter.outliers.turning_points.turning_values import find_turns
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.step_numbers import StepNumbers, read_step_numbers
from lamplighter.runfolder.tables.examinations import ExaminationsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps_reader import StepsReader

CHANCE_LIMIT = 0.01
"""A turning point is told if chance would make fewer than this number in the whole run: one false alarm in a hundred runs."""


@dataclass(frozen=True)
class Extent:
    """How much of a run there is to judge."""

    attempt: int
    last: int
    """The last step that is judged."""
    measured: int
    """Measured values, if the run is over: those that it lacks are measured afterwards."""
    answers: int
    """A number that grows with the questions about the model and their answers."""


def choose_extent(run: RunFolder, reader: StepsReader) -> Extent:
    """Return what there is to judge of a run: all of one that is over.

    A run in training is judged up to a step that grows by a sixteenth to an eighth at a time, so that it is
    not judged again at every measure.
    """
    attempt, last = reader.newest_step()
    measured, answers = 0, 0
    with suppress(FileNotFoundError), MeasuresReader(run.measures_path) as measures:
        if reader.phase().has_ended:
            measured, _ = measures.size()
        else:
            last = max(0, measures.last_step(reader.lineage()))
    if not reader.phase().has_ended:
        unit = 1 << max(0, last.bit_length() - 4)
        last -= last % unit
    with suppress(FileNotFoundError), ExaminationsReader(run.examinations_path) as examinations:
        answers = examinations.newest_revision()
    return Extent(attempt, last, measured, answers)


def find_turning_points(run: RunFolder, extent: Extent | None = None) -> TurningPoints:
    """Return the turning points of the curves of a run, up to `extent`."""
    with StepsReader(run.steps_path) as reader:
        curves = read_curves(run, reader, reader.newest_step()[1] if extent is None else extent.last)
        numbers = read_step_numbers(reader.facts())
    items: list[TurningPoint] = []
    for curve in curves:
        items += _find_in(curve, numbers, len(curves))
    items.sort(key=lambda item: (-item.share, item.step, item.curve))
    return TurningPoints(items=items, judged=[curve.name for curve in curves], limit=CHANCE_LIMIT)


def _find_in(curve: Curve, numbers: StepNumbers, curves: int) -> list[TurningPoint]:
    steps = curve.steps.tolist()
    known = [numbers.number_of(step) for step in steps]
    clock = np.array(steps if None in known else known, np.float64)
    return [
        TurningPoint(
            curve=curve.name,
            step=steps[turn.place],
            number=known[turn.place],
            between=[steps[turn.earliest], steps[turn.latest]],
            between_numbers=[known[turn.earliest], known[turn.latest]],
            kind=turn.kind,
            value=float(curve.values[turn.place]),
            change=turn.change,
            share=turn.share,
            by_chance=turn.by_chance * curves,
        )
        for turn in find_turns(clock, curve.values, CHANCE_LIMIT / curves)
        if abs(turn.change) >= curve.least_change
    ]
