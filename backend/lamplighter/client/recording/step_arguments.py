"""The arguments of recorded steps, read from tensors and arrays of any library, merged, and checked for consistency.

A loop that reads its next batch or clears its gradient before it calls the recorder gives wrong data. Only
consequences of an embedding's arithmetic are checked. The gradient of an input embedding has only rows of the batch.
With tied weights, or one matrix in two places, further rows have a gradient, but each row of the batch still has one.
Momentum and decay move further rows, and rounding may leave some unmoved.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import to_host_array
from lamplighter.contract.sentences import say
from lamplighter.wire.binary import Floats, UInts

_IN_A_ROW = 3
"""Consecutive inconsistent steps before a warning: a single one may consist of padding."""
_SHARED = 0.75
"""Minimum overlap of batch and gradient, as a share of either: some rows of a batch, such as padding, have a gradient
of exactly zero."""


class StepConsistency:
    """A check of consecutive steps of one loop, whose matrix has `size` rows."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._previous: UInts | None = None
        self._in_a_row: dict[str, int] = {}
        self._said = False

    def find_contradiction(
        self, batch: UInts, gradient: GradientRows | None, moved: UInts | None
    ) -> str | None:
        """Return a contradiction in the last steps, once per loop; else None. `batch`: the ids of the step,
        sorted; `moved`: the rows that moved, sorted; None if unknown."""
        previous, self._previous = self._previous, batch
        if self._said:
            return None
        found: str | None = None
        for kind, message in self._contradictions(batch, gradient, moved, previous).items():
            self._in_a_row[kind] = self._in_a_row.get(kind, 0) + 1 if message else 0
            if message and self._in_a_row[kind] == _IN_A_ROW:
                found = found or message
        self._said = found is not None
        return found

    def _contradictions(
        self, batch: UInts, gradient: GradientRows | None, moved: UInts | None, previous: UInts | None
    ) -> dict[str, str | None]:
        """Return the contradictions of this step by kind. Kinds that cannot be checked are omitted."""
        found: dict[str, str | None] = {}
        if gradient is not None and len(gradient.token_ids) and len(batch):
            rows = gradient.token_ids
            shared = _shared(batch, rows)
            # If most rows have a gradient, weights are tied, and any few rows may have none.
            apart = (
                2 * len(rows) <= self._size and shared < _SHARED * len(batch) and shared < _SHARED * len(rows)
            )
            late = previous is not None and _shared(previous, rows) == len(rows)
            found["gradient and batch"] = (
                say("gradient_is_late" if late else "gradient_of_other_ids") if apart else None
            )
        if gradient is not None and len(gradient.token_ids) and moved is not None and len(moved):
            disjoint = not _shared(gradient.token_ids, moved)
            found["gradient and moved"] = say("gradient_of_unmoved") if disjoint else None
        if gradient is None and moved is not None and len(moved) and previous is not None:
            late = _shared(previous, moved) == len(moved) > _shared(batch, moved)
            found["moved and batch"] = say("moved_is_late") if late else None
        return found


def _shared(first: UInts, second: UInts) -> int:
    """Return the number of ids that are in both of two sorted sets."""
    few, many = (first, second) if len(first) <= len(second) else (second, first)
    if not len(few):
        return 0
    at = np.minimum(np.searchsorted(many, few), len(many) - 1)
    return int(np.count_nonzero(many[at] == few))


class StretchedStep(NamedTuple):
    """One recorded step, which may merge several of the loop."""

    steps: int
    """Number of steps of the loop."""
    batch: BatchRows
    gradient: GradientRows | None
    """The largest norm of each row's gradient; None unless every step had a gradient."""
    seconds: float
    """The training time of all of them, in seconds."""


class StepStretch:
    """The steps of a loop since the last recorded one."""

    def __init__(self) -> None:
        self._steps: StretchedStep | None = None

    def add_step(self, batch: BatchRows, gradient: GradientRows | None, seconds: float) -> None:
        before = self._steps
        if before is None:
            self._steps = StretchedStep(1, batch, gradient, seconds)
            return
        ids, counts = _unite(
            (before.batch.token_ids, before.batch.counts), (batch.token_ids, batch.counts), np.add
        )
        both = None
        if before.gradient is not None and gradient is not None:
            both = GradientRows(*_unite(before.gradient, gradient, np.maximum))
        self._steps = StretchedStep(
            before.steps + 1,
            BatchRows(ids, counts),
            both,
            before.seconds + seconds,
        )

    def take_stretch(self) -> StretchedStep:
        """Return the steps added since the last call, at least one, and start the next stretch."""
        steps, self._steps = self._steps, None
        if steps is None:
            raise RuntimeError("no step was added")
        return steps


def _unite(first: tuple[UInts, Any], second: tuple[UInts, Any], combine: np.ufunc) -> tuple[UInts, Any]:
    """Return the union of two sorted sets of ids, and their combined values."""
    if np.array_equal(first[0], second[0]):
        return first[0], combine(first[1], second[1])
    ids = np.union1d(first[0], second[0])
    values = np.zeros(len(ids), dtype=first[1].dtype)
    values[np.searchsorted(ids, first[0])] = first[1]
    at = np.searchsorted(ids, second[0])
    values[at] = combine(values[at], second[1])
    return ids, values


PADDING_ID = -100
"""The id that torch's losses ignore: padding."""


class BatchRows(NamedTuple):
    """The rows that a batch read."""

    token_ids: UInts
    """Distinct and sorted."""
    counts: UInts


class GradientRows(NamedTuple):
    """The rows with a non-zero gradient."""

    token_ids: UInts
    """Sorted."""
    norms: Floats


def count_batch_rows(token_ids: Any, size: int) -> BatchRows:
    """Return the distinct ids of a batch and the count of each, without `PADDING_ID`. Raises InputError."""
    ids = to_host_array(token_ids, "token_ids").reshape(-1)
    if ids.size and ids.dtype.kind not in "iu":
        raise InputError(f"token_ids must be whole numbers; these are of type {ids.dtype}")
    distinct, counts = np.unique(ids.astype(np.int64), return_counts=True)
    tokens = distinct != PADDING_ID
    distinct, counts = distinct[tokens], counts[tokens]
    if len(distinct) and (distinct[0] < 0 or distinct[-1] >= size):
        wrong = int(distinct[0] if distinct[0] < 0 else distinct[-1])
        raise InputError(f"token_ids: {wrong} is not a token id from 0 to {size - 1}")
    return BatchRows(distinct.astype(np.uint32), counts.astype(np.uint32))


def find_gradient_rows(gradient: Any, size: int, dim: int | None) -> GradientRows:
    """Return the non-zero rows of a dense or sparse gradient, shape (`size`, `dim`; None: unknown), and their
    norms.

    Raises InputError if it is not a matrix of numbers of that shape.
    """
    if not hasattr(gradient, "shape"):
        raise InputError(f"gradient: a tensor or an array is needed, not {type(gradient).__name__}")
    shape = tuple(gradient.shape)
    if len(shape) != 2 or shape[0] != size or dim not in (None, shape[1]):
        raise InputError(f"the gradient has shape {shape}; the embedding's is ({size}, {dim or 'D'})")
    if getattr(gradient, "is_sparse", False):
        gradient = gradient.detach().coalesce()
        ids = to_host_array(gradient.indices(), "gradient")[0]
        values = to_host_array(gradient.values(), "gradient")
    else:
        values = to_host_array(gradient, "gradient")
        ids = np.arange(len(values))
    if values.dtype.kind != "f" or values.ndim != 2:
        raise InputError(f"the gradient must be a matrix of numbers; this is of type {values.dtype}")
    with np.errstate(over="ignore", invalid="ignore"):
        values = values.astype(np.float32, copy=False)
        norms = np.sqrt(np.einsum("ij,ij->i", values, values))
    return _nonzero_rows(ids, norms)


def read_gradient_norms(norms: Any, size: int) -> GradientRows:
    """Return the rows with a non-zero gradient, from the norms of all rows, shape (V,), or from a pair of ids
    and norms.

    Raises InputError if they are neither, or an id is repeated or not in this vocabulary.
    """
    if isinstance(norms, tuple | list) and len(norms) == 2:
        ids, values = (to_host_array(part, "gradient_norms").reshape(-1) for part in norms)
        if ids.size == 0:
            ids = ids.astype(np.int64)
        if ids.dtype.kind not in "iu" or len(ids) != len(values):
            raise InputError("gradient_norms: a pair must be whole ids and equally many norms")
        order = np.argsort(ids, kind="stable")
        ids, values = ids[order], values[order]
        if len(ids) and (ids[0] < 0 or ids[-1] >= size or (np.diff(ids) == 0).any()):
            raise InputError(f"gradient_norms: the ids must be from 0 to {size - 1}, each once")
    else:
        values = to_host_array(norms, "gradient_norms")
        if values.shape != (size,):
            raise InputError(
                f"gradient_norms: one norm for each of the {size} rows, or a pair of ids and norms; not shape"
                f" {values.shape}"
            )
        ids = np.arange(size)
    if values.dtype.kind not in "fiu" or (values < 0).any():
        raise InputError("gradient_norms: a norm is a number of 0 or more")
    with np.errstate(over="ignore"):
        return _nonzero_rows(ids, values.astype(np.float32))


def to_float32_scalar(value: Any, name: str) -> float:
    """Return a loss or a rate, tensor or not, rounded to the frame's float32; NaN for None. Raises
    InputError."""
    if value is None:
        return float("nan")
    if isinstance(value, float):
        with np.errstate(over="ignore"):
            return float(np.float32(value))
    shape = tuple(getattr(value, "shape", ()))
    if np.prod(shape) != 1:
        raise InputError(f"{name}: one number is needed, and this has shape {shape}: give its mean")
    (single,) = to_host_array(value, name).reshape(-1)
    try:
        number = float(single)
    except (TypeError, ValueError):
        raise InputError(f"{name}: one number is needed, not {type(value).__name__}") from None
    with np.errstate(over="ignore"):
        return float(np.float32(number))


def _nonzero_rows(ids: Any, norms: Floats) -> GradientRows:
    # NaN counts as non-zero.
    kept = norms != 0
    return GradientRows(ids[kept].astype(np.uint32), norms[kept])
