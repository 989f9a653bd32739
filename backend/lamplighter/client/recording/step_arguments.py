"""The arguments of a recorded step, read from tensors and arrays of any library and checked."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import to_host_array
from lamplighter.wire.binary import Floats, UInts

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
