"""The joining of all processes' parts of a step into the step of one record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lamplighter.client.recording.step_arguments import BatchRows, GradientRows
from lamplighter.client.sharding.step_part import Header, RowSquares, StepPart
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
