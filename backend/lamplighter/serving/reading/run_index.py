"""An index of each run that can only be built by reading all its steps: which steps are exact, every loss,
and the step at which each row was first in a batch.

Bounded: a few runs, with some bytes per step each. Everything here blocks and is called from threads.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.lineage import Line, shared
from lamplighter.runfolder.reading.matrix_history import History
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsReader
from lamplighter.wire.frames import Pulse, UInts, decode_as

_RUNS = 8
_BATCH = 200
FURTHEST = 100_000
"""The last step whose losses are read: a longer run would take minutes and gigabytes of reading."""
_NEVER = 0xFFFF_FFFF


@dataclass
class _Found:
    exact_lock: threading.Lock = field(default_factory=threading.Lock)
    losses_lock: threading.Lock = field(default_factory=threading.Lock)
    exact_at: tuple[Line, int, int | None] | None = None
    """The lineage, its last step and its newest keyframe when `exact` was computed."""
    exact: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    line: Line = field(default_factory=list[tuple[int, int, int]])
    steps: array[int] = field(default_factory=lambda: array("q"))
    losses: array[float] = field(default_factory=lambda: array("f"))
    first_lit: UInts = field(default_factory=lambda: np.empty(0, dtype=np.uint32))
    """For each token id, the first step whose batch contained it."""


class Findings:
    """The indexes of the last few runs."""

    def __init__(self) -> None:
        self._found: OrderedDict[object, _Found] = OrderedDict()
        self._lock = threading.Lock()

    def exact_steps(self, run: RunFolder, history: History, last: int) -> NDArray[np.int64]:
        """Return the steps up to `last` whose matrix can be rebuilt bit for bit, ascending, shape (N,).

        Raises:
            FormatError: the run cannot be read.
        """
        found = self._of(run)
        reader = history.steps
        with found.exact_lock:
            line, newest = reader.line(), reader.last()[1]
            now = (line, newest, reader.keyframe_step(newest))
            before = found.exact_at
            # Exact steps stay exact, but a step that was the newest may have gained a keyframe since.
            if before is None or before[0] != line or (before != now and last >= before[1]):
                found.exact = history.exact_steps()
                found.exact_at = now
            return found.exact[: int(np.searchsorted(found.exact, last, side="right"))]

    def losses(
        self, run: RunFolder, reader: StepsReader, first: int, last: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the recorded steps from `first` to `last`, inclusive, and their losses, each of shape (N,).

        Reads only the steps not read before. `last` must be at most `FURTHEST`.

        Raises:
            FormatError: the run cannot be read.
        """
        found = self._of(run)
        with found.losses_lock:
            self._keep_up(found, reader, last)
            steps = np.array(found.steps, dtype=np.int64)
            losses = np.array(found.losses, dtype=np.float32)
        low, high = np.searchsorted(steps, first), np.searchsorted(steps, last, side="right")
        return steps[low:high], losses[low:high]

    def ever_lit(self, run: RunFolder, reader: StepsReader, steps: list[int]) -> list[int]:
        """Return how many rows were in at least one batch by each of `steps`, which must be at most
        `FURTHEST`.

        Raises:
            FormatError: the run cannot be read.
        """
        found = self._of(run)
        with found.losses_lock:
            self._keep_up(found, reader, max(steps, default=0))
            first = np.sort(found.first_lit[found.first_lit != _NEVER])
        return np.searchsorted(first, np.array(steps, dtype=np.int64), side="right").tolist()

    def _keep_up(self, found: _Found, reader: StepsReader, last: int) -> None:
        line = reader.line()
        if line != found.line:
            same = shared(found.line, line, found.steps[-1]) if found.line and found.steps and line else 0
            count = int(np.searchsorted(np.array(found.steps, dtype=np.int64), same, side="right"))
            del found.steps[count:], found.losses[count:]
            found.first_lit[found.first_lit > (found.steps[-1] if found.steps else 0)] = _NEVER
            found.line = line
        at = found.steps[-1] + 1 if found.steps else 1
        while at <= last and (batch := reader.pulses(at, last, limit=_BATCH)):
            if reader.line() != line:
                # A new attempt began meanwhile, so the batch just read may belong to either attempt.
                found.line = []
                self._keep_up(found, reader, last)
                return
            for step, record in batch:
                pulse = decode_as(record, Pulse)
                found.steps.append(step)
                found.losses.append(pulse.loss)
                if len(found.first_lit) != pulse.vocabulary:
                    found.first_lit = np.full(pulse.vocabulary, _NEVER, dtype=np.uint32)
                first = found.first_lit[pulse.batch_ids]
                found.first_lit[pulse.batch_ids] = np.minimum(first, step)
            at = batch[-1][0] + 1

    def _of(self, run: RunFolder) -> _Found:
        # The creation time tells a run from an earlier one with the same name.
        key = (run.path, run.created)
        with self._lock:
            found = self._found.setdefault(key, _Found())
            self._found.move_to_end(key)
            while len(self._found) > _RUNS:
                self._found.popitem(last=False)
            return found
