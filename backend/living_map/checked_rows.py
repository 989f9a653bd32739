"""What callers give as rows, checked: the errors are those that scikit-learn's own checks ask for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def checked_rows(rows: Any, width: int | None = None) -> NDArray[np.float32]:
    """Return rows as float32, shape (N, D), contiguous; `width`: the D that is expected, None for any.

    It raises TypeError for sparse rows, ValueError for another shape, or numbers that are complex, not finite
    or too large for float32.
    """
    if hasattr(rows, "toarray"):
        raise TypeError("LivingMap takes no sparse data: give it a dense array, as rows.toarray() makes one")
    given = np.asarray(rows)
    if given.dtype.kind == "c":
        raise ValueError("Complex data not supported: LivingMap takes real numbers")
    if given.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {given.ndim}D array instead. Reshape your data: a row for each sample"
        )
    if len(given) == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={given.shape}) while a minimum of 1 is required."
        )
    if given.shape[1] == 0:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={given.shape}) while a minimum of 1 is required."
        )
    if width is not None and given.shape[1] != width:
        raise ValueError(
            f"X has {given.shape[1]} features, but LivingMap is expecting {width} features as input"
        )
    with np.errstate(over="ignore"):
        found = np.ascontiguousarray(given, dtype=np.float32)
    if not np.isfinite(found).all():
        raise ValueError("X contains NaN, infinity or a value too large for float32")
    return found


def checked_ids(ids: Any, count: int) -> list[Any]:
    """Return ids as a list of hashable values, each once, or raise TypeError or ValueError."""
    found = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
    if len(found) != count:
        raise ValueError(f"there are {len(found)} ids for {count} rows")
    if len(set(found)) != count:
        raise ValueError("an id comes twice: each row has one of its own")
    return found
