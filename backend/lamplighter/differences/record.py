"""What two runs recorded at matched steps: losses, lines, and the first step that differs in a bit.

The digest of a step covers its number, which differs between a fork and its parent, so the effects themselves are
compared: loss, batch, gradients, distances and norms. The learning rate is none of them: what it changes is a
distance.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, fields
from statistics import fmean
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.lines import SpokenLine, decode_lines
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse, StepEffects

RECENT = 16
"""Maximum batches whose mean loss is compared."""
MIN_BATCHES = 4
"""Minimum batches of which a standard deviation is told."""
_MAX_BACK = 10_000
"""Maximum steps that are searched back for lines, and for losses on the text held out."""


class Pair(NamedTuple):
    """A number of either run; None where it is unknown."""

    run: float | None
    other: float | None


class HeldOut(NamedTuple):
    """The losses on the text held out, at the newest step at or before with one of both."""

    step: int
    other_step: int
    losses: Pair


@dataclass(frozen=True)
class Said:
    """The lines that a model said after a step."""

    step: int
    attempt: int
    lines: list[SpokenLine]


@dataclass(frozen=True)
class RecordDifference:
    """Losses in nats, and lines; the lines of both are of one point of their clock."""

    batch: Pair
    """The losses on the batch of the step."""
    recent: Pair
    """Mean of the last `batches` steps; None unless each of their losses is known."""
    batches: int
    """As many of both: up to `RECENT`, and no more than either has done."""
    deviation: float | None
    """Standard deviation of the difference of these, batch by batch; None for fewer than `MIN_BATCHES`."""
    held_out: HeldOut | None
    said: tuple[Said, Said] | None


def compare_records(
    run: RunFolder,
    reader: StepsReader,
    other: RunFolder,
    other_reader: StepsReader,
    step: int,
    offset: int,
    *,
    clocked: bool,
) -> RecordDifference:
    """Read what two records say at a step. `offset`: the step of the other minus that of the run. `clocked`:
    the two steps are at one point of a clock, and so all before them. If not, the newest line and loss of
    either are read.
    """
    batches = min(RECENT, step, step + offset)
    own = _read_losses(reader, step, batches)
    others = _read_losses(other_reader, step + offset, batches)
    held_out = None
    first = max(0, step - _MAX_BACK, -offset if clocked else 0)
    other_first = first + offset if clocked else max(0, step + offset - _MAX_BACK)
    ours = reader.held_out_losses(first, step)
    theirs = other_reader.held_out_losses(other_first, step + offset)
    if pair := _newest_pair(ours, theirs, offset, clocked):
        held_out = HeldOut(*pair, Pair(ours[pair[0]], theirs[pair[1]]))
    spoken = reader.lines_sizes(first, step, _MAX_BACK)
    said = _newest_pair(
        spoken, other_reader.lines_sizes(other_first, step + offset, _MAX_BACK), offset, clocked
    )
    return RecordDifference(
        Pair(own.get(step), others.get(step + offset)),
        Pair(*(fmean(each.values()) if len(each) == batches > 0 else None for each in (own, others))),
        batches,
        _measure_deviation([own[at] - others[at + offset] for at in own if at + offset in others]),
        held_out,
        said and (_read_lines(run, reader, said[0]), _read_lines(other, other_reader, said[1])),
    )


def _newest_pair(
    ours: Collection[int], theirs: Collection[int], offset: int, clocked: bool
) -> tuple[int, int] | None:
    """Return the newest step of both, at one point of their clock if they have one, or else of either."""
    if clocked:
        both = [at for at in ours if at + offset in theirs]
        return (max(both), max(both) + offset) if both else None
    # Step 0 tells nothing of the steps after it.
    newest = max(ours, default=0), max(theirs, default=0)
    return newest if all(newest) else None


def _read_losses(reader: StepsReader, step: int, batches: int) -> dict[int, float]:
    first = step - max(1, batches) + 1
    losses = {at: decode_as(data, Pulse).loss for at, data in reader.pulses(max(1, first), step)}
    return {at: loss for at, loss in losses.items() if not math.isnan(loss)}


def _measure_deviation(differences: list[float]) -> float | None:
    with np.errstate(invalid="ignore"):
        return float(np.std(differences, ddof=1)) if len(differences) >= MIN_BATCHES else None


def _read_lines(run: RunFolder, reader: StepsReader, step: int) -> Said:
    lines = decode_lines(reader.lines(step, step, 1)[step], len(run.vocabulary))
    return Said(step, reader.lineage().attempt_at(step), lines)


MAX_BYTES = 256 << 20
"""Maximum bytes of records that are read for one answer."""
_BATCH, _BATCH_BYTES = 64, 8 << 20
"""Maximum records of either run that are read at once, and about their bytes."""
# A large matrix is compared whole at steps whose numbers differ between the two.
_COMPARED = tuple(
    field.name for field in fields(StepEffects) if field.name not in ("step", "loss", "verified")
)


@dataclass(frozen=True)
class FirstDifference(DocumentedRecord):
    """The first step whose records differ in a bit, or how far the two are equal."""

    step: int | None
    """The first step of the run that differs; null if none does."""
    compared: int
    """The number of steps compared, with the one that differs."""
    from_: Annotated[
        int,
        Field(
            serialization_alias="from",
            description="The first step of the run that was compared. What one of the two lacks before it may differ.",
        ),
    ]
    whole: bool = True
    """False if the comparison stopped before the last step that both have, which may differ."""


def find_first_difference(
    reader: StepsReader, other: StepsReader, offset: int, first: int, last: int
) -> FirstDifference:
    """Compare the recorded steps `first` to `last` of two runs until they differ, or one lacks a step.
    `offset`: the step of the other minus that of the run.
    """
    size, step, limit = 0, first, 1
    while step <= last and size <= MAX_BYTES:
        ours = reader.pulses(step, last, limit)
        theirs = dict(other.pulses(step + offset, step + offset + limit - 1, limit))
        for number, record in ours:
            found = theirs.get(step + offset)
            if number != step or found is None:
                return FirstDifference(None, step - first, first, whole=False)
            if not _is_same(decode_as(record, Pulse), decode_as(found, Pulse)):
                return FirstDifference(step, step - first + 1, first)
            size += len(record) + len(found)
            step += 1
            # Those of a large vocabulary are long.
            limit = max(1, min(_BATCH, _BATCH_BYTES // len(record)))
        if not ours:
            break
    return FirstDifference(None, step - first, first, whole=step > last)


def _is_same(one: Pulse, other: Pulse) -> bool:
    """Return whether two steps had the same effects, bit for bit."""
    if np.float32(one.loss).tobytes() != np.float32(other.loss).tobytes():
        return False
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in _COMPARED)
