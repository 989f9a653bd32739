"""The curves of a run in which turning points are sought, read from its folder."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.answers import HeadsAnswer, StoredAnswerError, parse_answer
from lamplighter.outliers.turning_points.turning_values import MAX_VALUES, MIN_VALUES
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.curve_steps import spread_evenly
from lamplighter.runfolder.run_folder import RunFolder
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
