"""An index of each run that requires reading all its steps: the exact steps, every loss, and the step at which each row
was first in a batch.

Bounded: a few runs, with a few bytes per step each. Everything here blocks and is called from threads. One thread reads
    for all; the others raise InProgressError, and their requests wait without holding a thread.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.step_figures import read_step_figures
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.web.capacity.thread_pools import SingleFlight
from lamplighter.wire.binary import UInts
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import NEVER

_RUNS = 8
_BATCH = 200


@dataclass
class _IndexEntry:
    exact_work: SingleFlight = field(default_factory=SingleFlight)
    losses_work: SingleFlight = field(default_factory=SingleFlight)
    exact_key: tuple[Lineage, int, int | None] | None = None
    """The lineage, its last step and its newest keyframe when `exact` was computed."""
    exact: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    lineage: Lineage = field(default_factory=Lineage)
    steps: array[int] = field(default_factory=lambda: array("q"))
    losses: array[float] = field(default_factory=lambda: array("f"))
    first_touched: UInts = field(default_factory=lambda: np.empty(0, dtype=np.uint32))
    """For each token id, the first step whose batch contained it."""


class RunIndex:
    """The indexes of the last few runs."""

    def __init__(self) -> None:
        self._entries: OrderedDict[object, _IndexEntry] = OrderedDict()
        self._lock = threading.Lock()

    def exact_steps(self, run: RunFolder, history: MatrixHistory, last: int) -> NDArray[np.int64]:
        """Return the steps up to `last` whose matrix can be rebuilt bit for bit, ascending, shape (N,). Raises
        FormatError; InProgressError while another thread is reading them.
        """
        entry = self._entry(run)
        reader = history.steps
        with entry.exact_work.alone():
            lineage, newest = reader.lineage(), reader.newest_step()[1]
            now = (lineage, newest, reader.keyframe_step(newest))
            before = entry.exact_key
            # Exact steps stay exact until a newer keyframe replaces an old one; and the formerly newest step may have
            # gained a keyframe.
            if (
                before is None
                or (before[0], before[2]) != (lineage, now[2])
                or (before != now and last >= before[1])
            ):
                entry.exact = history.exact_steps()
                entry.exact_key = now
            return entry.exact[: int(np.searchsorted(entry.exact, last, side="right"))]

    def losses(
        self, run: RunFolder, reader: StepsReader, first: int, last: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the recorded steps from `first` to `last`, inclusive, and their losses, each of shape (N,).
        Raises as `exact_steps`.

        Reads only steps that were not read before. `last` must be at most `LAST_INDEXED_STEP`.
        """
        if (figures := read_step_figures(run)) is not None:
            steps, losses = figures.steps, figures.losses
        else:
            entry = self._entry(run)
            with entry.losses_work.alone():
                _update(entry, reader, last)
                steps = np.array(entry.steps, dtype=np.int64)
                losses = np.array(entry.losses, dtype=np.float32)
        low, high = np.searchsorted(steps, first), np.searchsorted(steps, last, side="right")
        return steps[low:high], losses[low:high]

    def touched_row_counts(self, run: RunFolder, reader: StepsReader, steps: list[int]) -> list[int]:
        """Return the number of rows in at least one batch up to each of `steps`, which must be at most
        `LAST_INDEXED_STEP`. Raises as `exact_steps`.
        """
        if (figures := read_step_figures(run)) is not None:
            return figures.touched_row_counts(steps)
        entry = self._entry(run)
        with entry.losses_work.alone():
            _update(entry, reader, max(steps, default=0))
            first = np.sort(entry.first_touched[entry.first_touched != NEVER])
        return np.searchsorted(first, np.array(steps, dtype=np.int64), side="right").tolist()

    def _entry(self, run: RunFolder) -> _IndexEntry:
        # The creation time distinguishes a run from an earlier one with the same name.
        key = (run.path, run.created)
        with self._lock:
            entry = self._entries.setdefault(key, _IndexEntry())
            self._entries.move_to_end(key)
            while len(self._entries) > _RUNS:
                self._entries.popitem(last=False)
            return entry


def _update(entry: _IndexEntry, reader: StepsReader, last: int) -> None:
    Lineage.stable(reader, lambda lineage: _update_on(lineage, entry, reader, last))


def _update_on(lineage: Lineage, entry: _IndexEntry, reader: StepsReader, last: int) -> None:
    if lineage != entry.lineage:
        same = (
            entry.lineage.last_shared_step(lineage, entry.steps[-1])
            if entry.lineage and entry.steps and lineage
            else 0
        )
        count = int(np.searchsorted(np.array(entry.steps, dtype=np.int64), same, side="right"))
        del entry.steps[count:], entry.losses[count:]
        entry.first_touched[entry.first_touched > (entry.steps[-1] if entry.steps else 0)] = NEVER
        entry.lineage = lineage
    next_step = entry.steps[-1] + 1 if entry.steps else 1
    while next_step <= last and (batch := reader.pulses(next_step, last, limit=_BATCH)):
        # The batch may belong to another lineage if a new attempt has begun.
        lineage.require_current(reader)
        for step, record in batch:
            pulse = decode_as(record, Pulse)
            entry.steps.append(step)
            entry.losses.append(pulse.loss)
            if len(entry.first_touched) != pulse.vocabulary:
                entry.first_touched = np.full(pulse.vocabulary, NEVER, dtype=np.uint32)
            first = entry.first_touched[pulse.batch_ids]
            entry.first_touched[pulse.batch_ids] = np.minimum(first, step)
        next_step = batch[-1][0] + 1
