"""The steps that a request reads: pulses, chosen and weighed before any is read and then read a few at a time; the text of
a batch; and charts that keep their extremes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.model.batches import positions_after, sequence_starts
from lamplighter.runfolder.reading.step_figures import LAST_INDEXED_STEP
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.reading.run_index import RunIndex
from lamplighter.serving.schemas.steps import RowDifference, RowDifferences
from lamplighter.web.http.response_cost import check_bytes
from lamplighter.web.http.step_range import StepRange
from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse

MIN_POINTS = 20
"""The fewest points that a caller may request."""


def keep_extremes(series: Sequence[NDArray[np.floating[Any]]], limit: int) -> NDArray[np.int64]:
    """Return the points to keep, ascending, at most `limit`: the first, the last, and the minimum and maximum of
    every series, shape (N,), in each of several equally long stretches. NaN counts as largest.

    `limit` is at least `MIN_POINTS`, and 2 more than twice the number of series.
    """
    size = len(series[0])
    if size <= limit:
        return np.arange(size)
    stretches = max(1, (limit - 2) // (2 * len(series)))
    edges = np.linspace(0, size, stretches + 1).astype(np.int64)
    kept = {0, size - 1}
    for one in series:
        values = np.where(np.isnan(one), np.inf, one)
        for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            if low < high:
                stretch = values[low:high]
                kept |= {low + int(stretch.argmin()), low + int(stretch.argmax())}
    return np.array(sorted(kept), dtype=np.int64)


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


MAX_NAMED = 100


def compare_row_sets(pulse: Pulse) -> RowDifferences:
    read, gradient, moved = pulse.batch_ids, pulse.gradient_ids, pulse.moved_ids
    gradients_told = pulse.batch_known and pulse.gradient_known
    return RowDifferences(
        read_without_gradient=_difference(read, None, gradient) if gradients_told else None,
        gradient_without_read=_difference(gradient, pulse.gradient_norms, read) if gradients_told else None,
        gradient_without_move=_difference(gradient, pulse.gradient_norms, moved)
        if pulse.gradient_known and pulse.moved_known
        else None,
        # If only rows with a gradient were checked, others may have moved.
        moved_without_read=_difference(moved, pulse.moved_distances, read)
        if pulse.batch_known and pulse.verified
        else None,
    )


def _difference(ids: UInts, sizes: Floats | None, others: UInts) -> RowDifference:
    outside = ~np.isin(ids, others, assume_unique=True)
    found = ids[outside]
    if sizes is not None:
        found = found[np.argsort(-sizes[outside], kind="stable")]
    return RowDifference(rows=len(found), token_ids=found[:MAX_NAMED].tolist())


_TOKENS_AT_ONCE = 1 << 14


def read_batch_text(run: RunFolder, step: int, most: int | None = None) -> Iterator[NDArray[np.uint32]]:
    """Yield the token ids that a step read, a few sequences at a time: the corpus at the positions of its batch,
    including the last targets. `most` limits the number of sequences.
    """
    context = run.recipe.model.context
    try:
        ids = run.token_ids
        starts = sequence_starts(run.recipe, len(ids), step)[:most] if step else np.empty(0, np.int64)
    except FileNotFoundError:
        return
    size = max(1, _TOKENS_AT_ONCE // context)
    for start in range(0, len(starts), size):
        yield ids[positions_after(starts[start : start + size], context)]
