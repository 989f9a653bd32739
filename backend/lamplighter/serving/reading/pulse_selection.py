"""The pulses selected by a request for steps: chosen and weighed before any is read, then read a few at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from lamplighter.runfolder.reading.step_figures import LAST_INDEXED_STEP
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.reading.downsampling import keep_extremes
from lamplighter.serving.reading.run_index import RunIndex
from lamplighter.web.http.response_cost import check_bytes
from lamplighter.web.http.step_range import StepRange
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse

MAX_STEPS = 5_000
MAX_BYTES = 256 << 20
_BATCH = 64


@dataclass(frozen=True)
class PulseSelection:
    """The steps of a range whose pulses are read."""

    range_: StepRange
    steps: range | list[int]
    stride: int
    extremes: bool
    """True if the steps include the smallest and the largest loss of each of several equally long stretches."""
    counted: bool = False
    """True if the rows lit by each step are known without reading more than `LAST_INDEXED_STEP` steps."""

    def weigh(self, reader: StepsReader) -> int:
        """Return the bytes of the pulses. Raises RefusedError (422) if they are too many."""
        size = sum(reader.pulse_sizes(self.steps))
        check_bytes("the pulses of these steps", size, MAX_BYTES, "ask for fewer with from, to or every")
        return size

    def count_layers(self, reader: StepsReader) -> int:
        """Return the number of layers with gradient norms in the first pulse."""
        for _, record in reader.pulses_at(self.steps[:1]):
            return len(decode_as(record, Pulse).layer_norms)
        return 0

    def read_pulses(self, reader: StepsReader) -> Iterator[bytes]:
        """Yield the encoded pulses, ascending by step; missing steps are skipped. Raises LineageChangedError if a
        new attempt began after they were chosen.
        """
        for start in range(0, len(self.steps), _BATCH):
            some = self.steps[start : start + _BATCH]
            if isinstance(some, range) and some.step == 1:
                records = reader.pulses(some.start, some.stop - 1, limit=len(some))
            else:
                records = reader.pulses_at(some)
            for _, record in records:
                yield record
            self.range_.require_current(reader)


def select_pulses(
    index: RunIndex,
    run: RunFolder,
    reader: StepsReader,
    range_: StepRange,
    every: int | None,
    most: int | None,
) -> PulseSelection:
    """Return the steps to show: every n-th, about `most` with the extremes of the loss, or as many as fit."""
    whole = range(range_.first, range_.last + 1)
    indexed = range_.last <= LAST_INDEXED_STEP
    if most is None:
        stride = every or max(1, math.ceil(len(range_) / MAX_STEPS))
    elif len(range_) <= most:
        return PulseSelection(range_, whole, 1, True, indexed)
    elif not indexed:
        stride = math.ceil(len(range_) / most)
    else:
        recorded_steps, losses = index.losses(run, reader, range_.first, range_.last)
        chosen = recorded_steps[keep_extremes([losses], most)].tolist() if len(recorded_steps) else []
        return PulseSelection(range_, chosen, 1, True, True)
    return PulseSelection(range_, whole[::stride][:MAX_STEPS], stride, False)
