"""The turning points of a run's curves, read from its folder."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.answers import HeadsAnswer, StoredAnswerError, parse_answer
from lamplighter.outliers.answer import TurningPoint, TurningPoints
from lamplighter.outliers.turning_values import MAX_VALUES, MIN_VALUES, find_turns
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.curves import spread_evenly
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.step_numbers import StepNumbers, read_step_numbers
from lamplighter.runfolder.tables.examinations import ExaminationsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode
from lamplighter.wire.pulse_frames import Pulse

MAX_READ = 512
"""The most steps whose measures or losses are read, evenly spread: half a second."""
MAX_CURVES = 48
"""The most curves of a run that are judged, in the order of their names."""

_SHARES = re.compile(
    r"purity_10nn|accuracy_.*|anisotropy|nearest_cosine|length_log_count_spearman|analogy (?!_).*|induction_head|previous_token_head|separation .*"
)
"""Curves whose values are shares, cosines or correlations."""
_UNJUDGED = re.compile(
    r".*_chance\b.*|.*_most|neighbour_information|consistency .*|rank .*|coverage|never_lit|rows_stayed|loss_read"
)
"""Measures that say again what others say, that can only go one way, or that are chance itself."""
_LEAST_SHARE_CHANGE, _LEAST_CHANGE = 0.05, 0.02
"""The least change that counts: of a share; of any other value, relative to the largest."""


@dataclass(frozen=True)
class Curve:
    """A curve of a run."""

    name: str
    steps: NDArray[np.int64]
    """The steps of its values, ascending, shape (N,)."""
    values: NDArray[np.float64]
    """Finite values, shape (N,); if there are many, means of those up to the step and after the one before."""

    @property
    def least_change(self) -> float:
        if _SHARES.fullmatch(self.name):
            return _LEAST_SHARE_CHANGE
        return _LEAST_CHANGE * float(np.abs(self.values).max())

    @property
    def can_turn(self) -> bool:
        """Return whether it has enough values, and they change enough."""
        return len(self.values) >= MIN_VALUES and float(np.ptp(self.values)) >= self.least_change


def read_curves(run: RunFolder, reader: StepsReader, last: int) -> list[Curve]:
    """Return the curves of a run up to the step `last` that can turn, at most `MAX_CURVES`."""
    lineage = reader.lineage()
    found: dict[str, dict[int, float]] = {}
    for step, values in _read_measures(run, lineage):
        for name, value in values.items():
            if np.isfinite(value) and not _UNJUDGED.fullmatch(name):
                found.setdefault(name, {})[step] = value
    found |= _read_heads(run, lineage)
    if "loss_held_out" not in found:
        found["loss"] = _read_losses(reader, last)
    curves = (
        _make_curve(name, {step: value for step, value in found[name].items() if step <= last})
        for name in sorted(found)
    )
    return [curve for curve in curves if curve.can_turn][:MAX_CURVES]


def _make_curve(name: str, values: dict[int, float]) -> Curve:
    steps = np.array(sorted(values), np.int64)
    numbers = np.array([values[step] for step in steps.tolist()], np.float64)
    # Noise is smaller in means, and no part of a long run is skipped. Smaller parts come first, where curves are steep.
    backwards = np.arange(len(steps))[::-1]
    parts = np.array_split(backwards, min(len(steps), MAX_VALUES))[::-1] if len(steps) else []
    return Curve(
        name,
        np.array([steps[part[len(part) // 2]] for part in parts], np.int64),
        np.array([numbers[part].mean() for part in parts], np.float64),
    )


def _read_measures(run: RunFolder, lineage: Lineage) -> Iterable[tuple[int, dict[str, float]]]:
    with suppress(FileNotFoundError), MeasuresReader(run.measures_path) as reader:
        steps = reader.steps().tolist()
        if len(steps) <= MAX_READ:
            return reader.by_step(lineage=lineage).items()
        chosen = spread_evenly(steps, MAX_READ)
        return [item for step in chosen for item in reader.by_step(step, step, lineage).items()]
    return ()


def _read_losses(reader: StepsReader, last: int) -> dict[int, float]:
    losses: dict[int, float] = {}
    for step in spread_evenly(range(1, last + 1), MAX_READ):
        for _, record in reader.pulses(step, step):
            pulse = decode(record)
            if isinstance(pulse, Pulse) and np.isfinite(pulse.loss):
                losses[step] = pulse.loss
    return losses


def _read_heads(run: RunFolder, lineage: Lineage) -> dict[str, dict[int, float]]:
    """Return the best scores of any head, and what repetition saves, from the newest answer about heads on the lineage."""
    with suppress(*READ_ERRORS, StoredAnswerError), ExaminationsReader(run.examinations_path) as reader:
        for entry in reversed(reader.entries()):
            on_lineage = entry.step == 0 or lineage.attempt_at(entry.step) == entry.attempt
            text = reader.answer(entry.id) if entry.kind == "heads" and entry.state == "done" else None
            answer = parse_answer("heads", text) if text is not None and on_lineage else None
            if not isinstance(answer, HeadsAnswer):
                continue
            readings = answer.readings
            heads = {one.step: [head for layer in one.heads for head in layer] for one in readings}
            return {
                "induction_head": {
                    step: max(head.induction for head in some) for step, some in heads.items()
                },
                "previous_token_head": {
                    step: max(head.previous for head in some) for step, some in heads.items()
                },
                "in_context": {one.step: one.in_context for one in readings if one.in_context is not None},
                "repetition": {
                    one.step: one.loss_first - one.loss_again
                    for one in readings
                    if one.loss_first is not None and one.loss_again is not None
                },
            }
    return {}


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
    """Return what there is to judge of a run: all of one that is over. A run in training is judged up to a
    step that grows by a sixteenth to an eighth at a time, so that it is not judged again at every measure.
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
