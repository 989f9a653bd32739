"""What one process gives for a recorded step, and its form in bytes.

The header has a fixed size, so that the processes exchange theirs at once and agree on what follows. Norms and distances
are sent as their squares in float64, which are exact: where the columns of a row lie in several processes, its norm is
the root of the sum.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.sharding.own_time import OwnSeconds
from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.top_losses import TopLosses

Bytes = NDArray[np.uint8]
Squares = NDArray[np.float64]

_NUMBERS = struct.Struct("<12q3d")
HEADER_BYTES = 512
_TEXT_BYTES = HEADER_BYTES - _NUMBERS.size
_NAMES = ("lost", "unreadable", "seen", "reported", "unknown_loss")


class State(IntEnum):
    """What a process gives."""

    STEP = 0
    CLOSING = 1
    """Its loop has ended."""
    FAILED = 2
    """Its watcher has ended with an error, and its loop goes on."""


@dataclass(frozen=True)
class Header:
    """What all processes know of a part before it is sent."""

    state: State = State.STEP
    number: int = 0
    """The number of the step in the loop."""
    steps: int = 1
    """The steps of the loop that it merges."""
    ids: int = 0
    """Number of rows that the process read."""
    gradients: int = 0
    """Number of own rows with a gradient; -1 if they are unknown."""
    moved: int = 0
    """Number of own rows that moved."""
    tokens: int = 0
    """Number of tokens that it read in the last step: the weight of its loss."""
    divisor: int = -1
    """The number of tokens by which the trainer has already divided its losses; 0: by an unknown one, -1: by none."""
    top_losses: int = 0
    """Bytes of the largest losses of single tokens that it gives."""
    losses: int = 0
    """Number of losses of single tokens that it looked at."""
    checksum: int = -1
    """A sum of the bits of a table that each process has whole; -1 if it was not computed."""
    lost: bool = False
    """True if the comparison before was interrupted, so that further rows may have moved."""
    unreadable: bool = False
    """True if the ids are not all known."""
    seen: bool = True
    """True if a pass was seen."""
    reported: bool = False
    """True if the loop itself reported the loss."""
    unknown_loss: bool = False
    loss: float = float("nan")
    """In nats per token."""
    own: OwnSeconds = field(default_factory=OwnSeconds)
    """The seconds that it computed."""
    message: str = ""
    """Why the ids or the loss are unknown, or why the process gives no step."""

    def encode(self) -> Bytes:
        """Return the header as `HEADER_BYTES` bytes."""
        flags = sum(bool(getattr(self, name)) << at for at, name in enumerate(_NAMES))
        numbers = _NUMBERS.pack(
            self.state,
            self.number,
            self.steps,
            self.ids,
            self.gradients,
            self.moved,
            self.tokens,
            self.divisor,
            self.top_losses,
            self.losses,
            self.checksum,
            flags,
            self.loss,
            *self.own,
        )
        text = self.message.encode()[:_TEXT_BYTES].ljust(_TEXT_BYTES, b"\0")
        return np.frombuffer(numbers + text, dtype=np.uint8)

    @staticmethod
    def decode(packed: bytes) -> Header:
        state, *numbers, flags, loss, alone, together = _NUMBERS.unpack_from(packed)
        message = packed[_NUMBERS.size :].rstrip(b"\0").decode(errors="ignore")
        known = {name: bool(flags >> at & 1) for at, name in enumerate(_NAMES)}
        return Header(
            State(state), *numbers, **known, loss=loss, own=OwnSeconds(alone, together), message=message
        )


class RowSquares(NamedTuple):
    """Rows of the table with the squares of their norms or distances, of the columns that a process owns."""

    ids: UInts
    """Sorted."""
    squares: Squares

    @staticmethod
    def none() -> RowSquares:
        return RowSquares(np.empty(0, np.uint32), np.empty(0, np.float64))

    @staticmethod
    def of_norms(ids: UInts, norms: Floats) -> RowSquares:
        with np.errstate(over="ignore"):
            return RowSquares(ids, np.square(norms.astype(np.float64)))


@dataclass(frozen=True)
class StepPart:
    """The part of one process in a recorded step. All ids are those of the whole table."""

    header: Header
    ids: UInts = field(default_factory=lambda: np.empty(0, np.uint32))
    """The rows that it read, sorted."""
    counts: UInts = field(default_factory=lambda: np.empty(0, np.uint32))
    """How often it read each."""
    gradient: RowSquares = field(default_factory=RowSquares.none)
    """Its own rows with a gradient."""
    moved: RowSquares = field(default_factory=RowSquares.none)
    """Its own rows that moved."""
    top_losses: TopLosses | None = None

    def encode(self, vectors: Floats | None) -> Bytes:
        """Return the part without its header, with the moved rows of shape (moved, own columns) if they are wanted."""
        arrays: list[NDArray[Any]] = [self.ids, self.counts, *self.gradient, *self.moved]
        if vectors is not None:
            arrays.append(vectors)
        if self.top_losses is not None:
            arrays.append(np.frombuffer(self.top_losses.encode(), dtype=np.uint8))
        return np.concatenate([np.ascontiguousarray(one).reshape(-1).view(np.uint8) for one in arrays])

    @staticmethod
    def decode(
        header: Header, content: Bytes, columns: int | None, rows: int
    ) -> tuple[StepPart, Floats | None]:
        """Return the part of another process, which owns `columns` of a table of `rows` rows, and its moved
        rows; None: they are not there."""
        at = 0

        def take(kind: type[np.generic], count: int) -> NDArray[np.generic]:
            nonlocal at
            size = count * np.dtype(kind).itemsize
            # A copy, because the numbers are not aligned in the bytes.
            found = np.frombuffer(content[at : at + size].tobytes(), dtype=kind)
            at += size
            return found

        ids, counts = take(np.uint32, header.ids), take(np.uint32, header.ids)
        gradients = max(header.gradients, 0)
        gradient = RowSquares(take(np.uint32, gradients), take(np.float64, gradients))  # pyright: ignore[reportArgumentType]
        moved = RowSquares(take(np.uint32, header.moved), take(np.float64, header.moved))  # pyright: ignore[reportArgumentType]
        vectors = None
        if columns is not None:
            vectors = take(np.float32, header.moved * columns).reshape(header.moved, columns)
        largest = TopLosses.decode(content[at:].tobytes(), rows) if header.top_losses else None
        return StepPart(header, ids, counts, gradient, moved, largest), vectors  # pyright: ignore[reportArgumentType, reportReturnType]


def part_bytes(header: Header, columns: int | None) -> int:
    """Return the bytes of a part without its header: 8 for each row read, 12 for each with a gradient, 12 for each moved,
    and 4 for each number of a moved row if they are sent, of which its process owns `columns`."""
    rows = 8 * header.ids + 12 * max(header.gradients, 0) + 12 * header.moved
    return rows + 4 * header.moved * (columns or 0) + header.top_losses
