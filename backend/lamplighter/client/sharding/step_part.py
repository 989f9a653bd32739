"""What one process gives for a recorded step, its form in bytes, and the joining of all parts into one step.

The header has a fixed size, so that the processes exchange theirs at once and agree on what follows. Norms and
distances are sent as their squares in float64, which are exact: where the columns of a row lie in several processes,
its norm is the root of the sum.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.recording.step_arguments import BatchRows, GradientRows
from lamplighter.client.sharding.own_time import OwnSeconds
from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.top_losses import MAX_KEPT, TopLosses

_DIVIDED = (
    "the trainer divides the losses of several processes, and it is unknown whether by the tokens of one process or of all,"
    " so the record has no loss: report it with log(loss=...)"
)
_UNWEIGHTED = (
    "it is unknown how many tokens each process has read, and their losses differ, so the record has no loss: report that of all"
    " with log(loss=...), in one process or in each"
)


class JoinedRows(NamedTuple):
    """The rows that all processes read in a step, and what happened to them."""

    batch: BatchRows
    gradient: GradientRows | None
    """None if any owner does not know its own."""
    moved_ids: UInts
    moved_distances: Floats


def join_rows(parts: Sequence[StepPart], owners: Sequence[int], rows: int) -> JoinedRows:
    """Return the rows of a step of a table of `rows` rows. `parts`: of each process; `owners`: the processes
    that own a part of the table."""
    # A part of the ids would imply that no others were read.
    known = not any(part.header.unreadable for part in parts)
    counts = np.zeros(rows, np.uint32)
    for part in parts if known else ():
        counts[part.ids] += part.counts
    ids = np.flatnonzero(counts).astype(np.uint32)
    gradient = None
    if all(parts[owner].header.gradients >= 0 for owner in owners):
        gradient = GradientRows(*_join_squares([parts[owner].gradient for owner in owners], rows))
    moved = _join_squares([parts[owner].moved for owner in owners], rows)
    return JoinedRows(BatchRows(ids, counts[ids]), gradient, *moved)


def _join_squares(parts: Sequence[RowSquares], rows: int) -> tuple[UInts, Floats]:
    """Return the rows of all parts, and the root of the sum of each row's squares."""
    if len(parts) == 1:
        ids, squares = parts[0]
    else:
        found, sums = np.zeros(rows, bool), np.zeros(rows, np.float64)
        for part in parts:
            found[part.ids] = True
            sums[part.ids] += part.squares
        ids = np.flatnonzero(found).astype(np.uint32)
        squares = sums[ids]
    with np.errstate(over="ignore", invalid="ignore"):
        return ids, np.sqrt(squares).astype(np.float32)


def join_losses(headers: Sequence[Header]) -> tuple[float | None, str | None]:
    """Return the loss of a step, or None and the reason why it is unknown.

    It is the mean over the tokens of all processes. Losses that the loop itself reported take precedence.
    """
    told = [header for header in headers if header.reported]
    unknown = [header for header in headers if header.unknown_loss]
    if not told and unknown:
        return None, unknown[0].message
    chosen = told or list(headers)
    weights = [header.tokens for header in chosen]
    divisors = {header.divisor for header in chosen}
    if len(chosen) > 1 and not told and divisors != {-1}:
        if min(divisors) < 1:
            return None, _DIVIDED
        if len(divisors) > 1:
            # Each process divided by its own tokens.
            weights = [header.divisor for header in chosen]
        elif divisors.pop() > min(weights):
            # More tokens than one process has: those of all, so each loss is a part of the whole.
            return float(np.sum([header.loss for header in chosen])), None
        else:
            return None, _DIVIDED
    if any(header.unreadable for header in chosen) or not any(weights):
        # Without ids, as in an output layer, the number of tokens is unknown.
        alike = len({header.loss for header in chosen}) == 1
        return (chosen[0].loss, None) if alike else (None, _UNWEIGHTED)
    shares = [weight * header.loss for weight, header in zip(weights, chosen, strict=True) if weight]
    return float(np.sum(shares) / np.sum(weights)), None


def join_top_losses(parts: Sequence[StepPart]) -> TopLosses | None:
    """Return the largest losses of all processes. Their places count on from process to process."""
    found: list[TopLosses] = []
    before = 0
    for part in parts:
        if part.top_losses is not None:
            own = part.top_losses
            found.append(TopLosses(own.places + np.uint32(before), own.losses, own.windows))
        before += part.header.losses
    if not found:
        return None
    losses = np.concatenate([one.losses for one in found])
    kept = np.argsort(-losses, kind="stable")[:MAX_KEPT]
    return TopLosses(
        np.concatenate([one.places for one in found])[kept],
        losses[kept],
        np.concatenate([one.windows for one in found])[kept],
    )


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
