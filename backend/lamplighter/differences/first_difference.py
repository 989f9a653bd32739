"""The first step at which the records of two related runs differ in a bit.

The digest of a step covers its number, which differs between a fork and its parent, so the effects themselves are
compared: loss, batch, gradients, distances and norms. The learning rate is none of them: what it changes is a distance.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated

import numpy as np
from pydantic import Field

from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse, StepEffects

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
