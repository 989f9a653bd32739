"""The figures of all steps of a run without their rows: what the timeline shows, in a fortieth of the record's bytes.

A published run has them in a file, so that a server that opens it need not read every step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder import remote_files
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse

FIGURES_FILE = "step-figures.npy"
LAST_INDEXED_STEP = 100_000
"""The last step whose losses are read: a longer run would need minutes and gigabytes of reading."""
_BATCH = 200
_COUNTS = ("batch_rows", "gradient_rows", "moved_rows")
_NAMES = (
    "step",
    "attempt",
    "time",
    "loss",
    "learning_rate",
    "tokens_per_second",
    "step_seconds",
    "observe_seconds",
    *_COUNTS,
    "verified",
)
"""The columns of the file, before the number of rows lit so far and the norms of the layers."""


def step_facts(pulse: Pulse) -> dict[str, Any]:
    """Return the figures of a step; None for those that are not recorded."""
    return {
        "attempt": pulse.attempt,
        "step": pulse.step,
        "time": pulse.time,
        "loss": pulse.loss,
        "learning_rate": pulse.learning_rate,
        "tokens_per_second": pulse.tokens_per_second if pulse.batch_known else None,
        "step_seconds": pulse.step_seconds,
        "observe_seconds": pulse.observe_seconds,
        "batch_rows": len(pulse.batch_ids) if pulse.batch_known else None,
        "gradient_rows": len(pulse.gradient_ids) if pulse.gradient_known else None,
        "moved_rows": len(pulse.moved_ids) if pulse.moved_known else None,
        "verified": pulse.verified,
        "layer_norms": pulse.layer_norms.tolist(),
    }


@dataclass(frozen=True)
class StepFigures:
    """The figures of all steps, one row for each, ascending; shape (N, 13 + layers). NaN: not recorded."""

    numbers: NDArray[np.float64]

    @property
    def steps(self) -> NDArray[np.int64]:
        return self.numbers[:, 0].astype(np.int64)

    @property
    def losses(self) -> NDArray[np.float32]:
        return self.numbers[:, _NAMES.index("loss")].astype(np.float32)

    def touched_row_counts(self, steps: list[int]) -> list[int]:
        """Return the number of rows in at least one batch up to each of `steps`."""
        rows = np.searchsorted(self.steps, steps, side="right")
        counts = np.concatenate([[0], self.numbers[:, len(_NAMES)].astype(np.int64)])
        return counts[rows].tolist()

    def facts_at(self, steps: list[int]) -> list[dict[str, Any]]:
        """Return what `step_facts` returns of those of `steps` that are recorded."""
        at = {step: row for row, step in enumerate(self.steps.tolist())}
        return [self._facts_of(self.numbers[at[step]].tolist()) for step in steps if step in at]

    def _facts_of(self, row: list[float]) -> dict[str, Any]:
        facts: dict[str, Any] = dict(zip(_NAMES, row, strict=False))
        facts |= {name: int(facts[name]) for name in ("step", "attempt")}
        facts |= {name: None if math.isnan(facts[name]) else int(facts[name]) for name in _COUNTS}
        return facts | {"verified": facts["verified"] == 1, "layer_norms": row[len(_NAMES) + 1 :]}


def write_step_figures(reader: StepsReader, path: Path) -> bool:
    """Write the figures of a finished run's steps, unless there are too many, and return whether they were
    written. Raises FormatError or FrameError if the record is damaged, OSError if the file cannot be
    written.
    """
    last = reader.newest_step()[1]
    if not 1 <= last <= LAST_INDEXED_STEP:
        return False
    rows: list[list[float]] = []
    touched, count, next_step = np.empty(0, dtype=bool), 0, 1
    while batch := reader.pulses(next_step, last, limit=_BATCH):
        for _, record in batch:
            pulse = decode_as(record, Pulse)
            if len(touched) != pulse.vocabulary:
                touched, count = np.zeros(pulse.vocabulary, dtype=bool), 0
            count += int((~touched[pulse.batch_ids]).sum())
            touched[pulse.batch_ids] = True
            facts = step_facts(pulse)
            values = [math.nan if facts[name] is None else float(facts[name]) for name in _NAMES]
            rows.append([*values, count, *facts["layer_norms"]])
        next_step = batch[-1][0] + 1
    if not rows or len({len(row) for row in rows}) > 1:
        return False
    np.save(path, np.array(rows))
    return True


def read_step_figures(run: RunFolder) -> StepFigures | None:
    """Return the figures of a published run's steps; None for any other run. Raises FormatError if they
    cannot be read, or are none.
    """
    path = run.path / FIGURES_FILE
    if remote_files.find(path) is None:
        return None
    remote_files.bring(path)
    try:
        numbers = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OverflowError) as error:
        raise FormatError(f"{path.name}: {quote_foreign(error)}") from error
    if numbers.dtype != np.float64 or numbers.ndim != 2 or numbers.shape[1] <= len(_NAMES):
        raise FormatError(f"{path.name}: not the figures of steps")
    whole = numbers[:, [_NAMES.index(name) for name in ("step", "attempt")] + [len(_NAMES)]]
    if not ((whole >= 0) & (whole < 1 << 32)).all() or not (np.diff(whole[:, 0]) > 0).all():
        raise FormatError(f"{path.name}: steps that do not ascend, or impossible counts")
    return StepFigures(numbers)
