"""Pulse frames: the effects of a training step (`docs/wire.md`, kind 1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np

from lamplighter.wire.binary import (
    MAX_VOCABULARY,
    BinaryReader,
    Floats,
    FrameError,
    UInts,
    encode_f32,
    encode_u32,
    require_at_most,
    require_sorted_ids,
)

_PULSE = struct.Struct("<IIIIIIfffffI")
_MERGED = 1
_VERIFIED = 1 << 5


class _SetEncoding(IntEnum):
    """The encoding of a set of rows: listed, equal to the batch, or all rows."""

    LISTED = 0
    BATCH = 1
    ALL = 2


@dataclass(frozen=True, kw_only=True)
class StepEffects:
    """The measured effects of one training step.

    Three sets of rows, each sorted by token id: in the batch, with a non-zero gradient, and moved. An empty set may
    mean that it was not recorded; see the `..._known` properties.
    """

    step: int
    loss: float
    """Mean cross-entropy of the batch, nats per token."""
    batch_ids: UInts
    batch_counts: UInts
    """Occurrences of each row in the batch."""
    gradient_ids: UInts
    gradient_norms: Floats
    """Norms of the rows' gradients: before clipping in a run trained here, as reported in a recorded run."""
    moved_ids: UInts
    moved_distances: Floats
    """Euclidean distance moved by each row."""
    layer_norms: Floats
    """Norms of the layers' gradients, likewise, in the order of the run's `layers`."""
    verified: bool = False
    """True if the moved set was found by comparing the whole matrix, not only the rows with a gradient."""

    @property
    def batch_known(self) -> bool:
        """Return whether the rows of the batch are recorded; a recorded batch is never empty."""
        return len(self.batch_ids) > 0

    @property
    def gradient_known(self) -> bool:
        """Return whether the rows' gradients are recorded. If no row has one, the layer's norm is 0."""
        return len(self.gradient_ids) > 0 or bool(np.isfinite(self.layer_norms).any())

    @property
    def moved_known(self) -> bool:
        """Return whether the moved rows are recorded. If none moved, `verified` is true."""
        return self.verified or len(self.moved_ids) > 0

    def effects_by_name(self) -> dict[str, Any]:
        """Return the fields of `StepEffects` by name, without those of subclasses."""
        return {field.name: getattr(self, field.name) for field in fields(StepEffects)}


@dataclass(frozen=True, kw_only=True)
class Pulse(StepEffects):
    """One training step or, when `first_step < step`, several merged for a viewer that fell behind."""

    attempt: int
    time: float
    """Unix seconds at the end of the step."""
    vocabulary: int
    learning_rate: float
    tokens_per_second: float
    step_seconds: float
    """Duration of training alone."""
    observe_seconds: float
    """Duration of observing and recording the previous step."""
    first_step: int = -1
    """The first of the merged steps; equal to `step` if the pulse is not merged."""

    def __post_init__(self) -> None:
        if self.first_step < 0:
            object.__setattr__(self, "first_step", self.step)

    @property
    def merged(self) -> bool:
        """Return whether this pulse merges several steps, so that it must not be shown as a step."""
        return self.first_step != self.step


def encode_pulse(pulse: Pulse) -> tuple[int, bytes]:
    """Encode a pulse as (flags, bytes after the header)."""
    gradient = _set_encoding(pulse.gradient_ids, pulse)
    moved = _set_encoding(pulse.moved_ids, pulse)
    flags = (_MERGED if pulse.merged else 0) | gradient << 1 | moved << 3
    flags |= _VERIFIED if pulse.verified else 0
    return flags, b"".join(
        (
            _PULSE.pack(
                pulse.first_step,
                pulse.vocabulary,
                len(pulse.batch_ids),
                len(pulse.gradient_ids),
                len(pulse.moved_ids),
                len(pulse.layer_norms),
                pulse.loss,
                pulse.learning_rate,
                pulse.tokens_per_second,
                pulse.step_seconds,
                pulse.observe_seconds,
                0,
            ),
            encode_u32(pulse.batch_ids),
            encode_u32(pulse.batch_counts),
            encode_u32(pulse.gradient_ids) if gradient == _SetEncoding.LISTED else b"",
            encode_f32(pulse.gradient_norms),
            encode_u32(pulse.moved_ids) if moved == _SetEncoding.LISTED else b"",
            encode_f32(pulse.moved_distances),
            encode_f32(pulse.layer_norms),
        )
    )


def decode_pulse(cursor: BinaryReader, flags: int, attempt: int, step: int, time: float) -> Pulse:
    """Decode a pulse from the bytes after the header. Raises FrameError if the bytes are not a valid pulse."""
    first, vocabulary, batch, gradient, moved, layers, loss, rate, speed, seconds, observe, _ = (
        cursor.read_struct(_PULSE)
    )
    require_at_most(vocabulary, MAX_VOCABULARY, "vocabulary")
    for name, count in (("batch", batch), ("gradient", gradient), ("moved", moved)):
        require_at_most(count, vocabulary, f"rows in the {name} set")
    if first > step or bool(flags & _MERGED) != (first != step):
        raise FrameError("the first of the merged steps contradicts the rest")
    batch_ids = require_sorted_ids(cursor.read_u32(batch), vocabulary)
    batch_counts = cursor.read_u32(batch)
    gradient_ids = _decode_set(cursor, flags >> 1 & 3, gradient, batch_ids, vocabulary)
    gradient_norms = cursor.read_f32(gradient)
    moved_ids = _decode_set(cursor, flags >> 3 & 3, moved, batch_ids, vocabulary)
    moved_distances = cursor.read_f32(moved)
    return Pulse(
        attempt=attempt,
        step=step,
        time=time,
        vocabulary=vocabulary,
        loss=loss,
        learning_rate=rate,
        tokens_per_second=speed,
        step_seconds=seconds,
        observe_seconds=observe,
        batch_ids=batch_ids,
        batch_counts=batch_counts,
        gradient_ids=gradient_ids,
        gradient_norms=gradient_norms,
        moved_ids=moved_ids,
        moved_distances=moved_distances,
        layer_norms=cursor.read_f32(layers),
        verified=bool(flags & _VERIFIED),
        first_step=first,
    )


def _set_encoding(ids: UInts, pulse: Pulse) -> _SetEncoding:
    if len(ids) == pulse.vocabulary:
        return _SetEncoding.ALL
    return _SetEncoding.BATCH if np.array_equal(ids, pulse.batch_ids) else _SetEncoding.LISTED


def _decode_set(cursor: BinaryReader, encoding: int, count: int, batch_ids: UInts, vocabulary: int) -> UInts:
    if encoding == _SetEncoding.ALL:
        if count != vocabulary:
            raise FrameError("a set of all rows must have every row")
        cursor.require_bytes(4 * count)
        return np.arange(vocabulary, dtype=np.uint32)
    if encoding == _SetEncoding.BATCH:
        if count != len(batch_ids):
            raise FrameError("a set like the batch's must be as large as the batch's")
        return batch_ids
    if encoding != _SetEncoding.LISTED:
        raise FrameError(f"unknown encoding of a set: {encoding}")
    return require_sorted_ids(cursor.read_u32(count), vocabulary)
