"""Beat frames: one real step with its rows, and the changes of counts in the steps before it (`docs/wire.md`, kind 6).

A viewer gets at most three of the forty steps that a run may take in a second. A beat shows one of them, and holds what
a page counts of those in between: which rows they lit, how often, and when last. So a page that gets only beats shows
the same numbers as one that gets all pulses.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from lamplighter.wire.binary import MAX_VOCABULARY, BinaryReader, Floats, FrameError, UInts, require_at_most
from lamplighter.wire.byte_planes import (
    encode_f32_planes,
    encode_gaps,
    encode_u32_planes,
    read_f32_planes,
    read_gaps,
    read_u32_planes,
)

_BEAT = struct.Struct("<IIIIIIIIfffffI")
_VERIFIED, _NORMS_BETWEEN, _ELSEWHERE = 1, 2, 4
_UNKNOWN = 0xFFFF_FFFF


@dataclass(frozen=True)
class StepsBetween:
    """Rows in the batches of the steps between two beats, sorted by token id; shape (N,) each."""

    ids: UInts
    touches: UInts
    """Steps with the row in their batch."""
    last_lit: UInts
    """The last of these steps."""
    norms: Floats | None
    """Norm of the row's gradient at the last of these steps with one, 0 if there is none; None if norms are omitted."""


NO_STEPS = StepsBetween(
    np.empty(0, np.uint32), np.empty(0, np.uint32), np.empty(0, np.uint32), np.empty(0, np.float32)
)
"""The rows between two consecutive beats."""


@dataclass(frozen=True, kw_only=True)
class Beat:
    """One training step shown to viewers, with a summary of the steps since the previous beat."""

    attempt: int
    step: int
    time: float
    """Unix seconds at the end of the step."""
    first_step: int
    """The first step since the previous beat; equal to `step` if there is none in between."""
    vocabulary: int
    loss: float
    """Mean cross-entropy of the batch, nats per token."""
    learning_rate: float
    tokens_per_second: float
    step_seconds: float
    """Duration of training alone."""
    observe_seconds: float
    """Duration of observing and recording the previous step."""
    batch_ids: UInts
    """Rows in the batch of this step, sorted; shape (N,)."""
    batch_counts: UInts
    """Occurrences of each row in the batch."""
    gradient_norms: Floats
    """Norm of the gradient of each row in the batch, as in a pulse; 0 for a row without one."""
    layer_norms: Floats
    """Norms of the layers' gradients, as in a pulse, in the order of the run's `layers`."""
    gradient_rows: int
    """Number of rows with a non-zero gradient, in the batch or not."""
    moved_rows: int
    """Number of rows that moved, in the batch or not."""
    drifting_rows: int | None
    """Number of rows that moved without being in the batch; None if not every row was compared."""
    between: StepsBetween = NO_STEPS
    elsewhere: bool = False
    """True if rows outside their batch got gradients, here or between; their norms are not included."""

    @property
    def verified(self) -> bool:
        """Return whether the moved set was found by comparing the whole matrix."""
        return self.drifting_rows is not None


def encode_beat(beat: Beat) -> tuple[int, bytes]:
    """Encode a beat as (flags, bytes after the header)."""
    between = beat.between
    flags = _VERIFIED if beat.verified else 0
    flags |= _ELSEWHERE if beat.elsewhere else 0
    flags |= _NORMS_BETWEEN if between.norms is not None else 0
    return flags, b"".join(
        (
            _BEAT.pack(
                beat.first_step,
                beat.vocabulary,
                len(beat.batch_ids),
                beat.gradient_rows,
                beat.moved_rows,
                _UNKNOWN if beat.drifting_rows is None else beat.drifting_rows,
                len(beat.layer_norms),
                len(between.ids),
                beat.loss,
                beat.learning_rate,
                beat.tokens_per_second,
                beat.step_seconds,
                beat.observe_seconds,
                0,
            ),
            encode_gaps(beat.batch_ids),
            encode_u32_planes(beat.batch_counts),
            encode_f32_planes(beat.gradient_norms),
            encode_f32_planes(beat.layer_norms),
            encode_gaps(between.ids),
            encode_u32_planes(between.touches),
            encode_u32_planes(np.uint32(beat.step) - between.last_lit),
            b"" if between.norms is None else encode_f32_planes(between.norms),
        )
    )


def decode_beat(cursor: BinaryReader, flags: int, attempt: int, step: int, time: float) -> Beat:
    """Decode a beat from the bytes after the header. Raises FrameError if the bytes are not a valid beat."""
    (
        first,
        vocabulary,
        batch,
        gradient,
        moved,
        drifting,
        layers,
        rows,
        loss,
        rate,
        speed,
        seconds,
        observe,
        _,
    ) = cursor.read_struct(_BEAT)
    require_at_most(vocabulary, MAX_VOCABULARY, "vocabulary")
    for name, count in (("batch", batch), ("gradient", gradient), ("moved", moved)):
        require_at_most(count, vocabulary, f"rows in the {name} set")
    if bool(flags & _VERIFIED) != (drifting != _UNKNOWN) or drifting not in (_UNKNOWN, min(drifting, moved)):
        raise FrameError("the rows that drifted contradict the rest")
    if first > step:
        raise FrameError("the first step comes after the step")
    batch_ids = read_gaps(cursor, batch, vocabulary)
    batch_counts = read_u32_planes(cursor, batch)
    gradient_norms = read_f32_planes(cursor, batch)
    layer_norms = read_f32_planes(cursor, layers)
    return Beat(
        attempt=attempt,
        step=step,
        time=time,
        first_step=first,
        vocabulary=vocabulary,
        loss=loss,
        learning_rate=rate,
        tokens_per_second=speed,
        step_seconds=seconds,
        observe_seconds=observe,
        batch_ids=batch_ids,
        batch_counts=batch_counts,
        gradient_norms=gradient_norms,
        layer_norms=layer_norms,
        gradient_rows=gradient,
        moved_rows=moved,
        drifting_rows=None if drifting == _UNKNOWN else drifting,
        between=_decode_between(cursor, flags, rows, vocabulary, first, step),
        elsewhere=bool(flags & _ELSEWHERE),
    )


def _decode_between(
    cursor: BinaryReader, flags: int, rows: int, vocabulary: int, first: int, step: int
) -> StepsBetween:
    require_at_most(rows, vocabulary, "rows between")
    ids = read_gaps(cursor, rows, vocabulary)
    touches = read_u32_planes(cursor, rows)
    ago = read_u32_planes(cursor, rows)
    for counts in (touches, ago):
        if rows and not 1 <= int(counts.min()) <= int(counts.max()) <= step - first:
            raise FrameError("rows between two beats were lit in steps that are not between them")
    norms = read_f32_planes(cursor, rows) if flags & _NORMS_BETWEEN else None
    return StepsBetween(ids, touches, np.uint32(step) - ago, norms)
