"""Embedding matrices from files: `.npy`, or one tensor of a `.safetensors`.

It unpickles nothing, and checks sizes before it reads. Both formats hold plain numbers behind a header; the
safetensors header is parsed here because the library's numpy reader does not support bfloat16.
"""

from __future__ import annotations

import json
import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import check_matrix_size
from lamplighter.client.vocabulary_files import unequal
from lamplighter.wire.binary import Floats

_MOST_HEADER = 100_000_000
"""Bytes; the limit of the safetensors library itself."""
_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True)
class _Tensor:
    type: str
    shape: tuple[int, ...]
    start: int
    end: int


def read_matrix(path: str | os.PathLike[str], rows: int, tensor: str | None = None) -> Floats:
    """Return the embedding in a file as float32, shape (V, D).

    Args:
        path: ends in `.npy` or `.safetensors`.
        rows: V, the size of the vocabulary.
        tensor: name of the tensor in a safetensors file; None if only one fits.

    Raises:
        InputError: the file cannot be read, has no matrix with V rows, or the matrix has non-finite values.
    """
    path = Path(path)
    try:
        match path.suffix.lower():
            case ".npy":
                matrix = _read_npy(path)
            case ".safetensors":
                matrix = _read_safetensors(path, rows, tensor)
            case _:
                raise InputError(
                    f"{path.name}: a matrix is read from .npy or .safetensors only. Other checkpoints can run code"
                    " when they are opened: save the embedding as one of these first"
                )
    except OSError as error:
        raise InputError(f"{path.name}: {error.strerror or error}") from error
    if len(matrix) != rows:
        raise InputError(
            f"{path.name}: {len(matrix):,} rows, and the vocabulary has {rows:,} tokens; there must be as many:"
            f" {unequal(len(matrix), rows)}"
        )
    non_finite = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(non_finite):
        raise InputError(
            f"{path.name}: {len(non_finite):,} rows hold values that are not finite numbers (row {non_finite[0]} first): such a"
            " matrix has no map"
        )
    return matrix


def _read_npy(path: Path) -> Floats:
    try:
        # Memory-mapped, so that a header cannot claim more memory than the file has bytes.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise InputError(f"{path.name}: not an .npy file of numbers: {error}".split("\n")[0]) from error
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind != "f":
        description = (
            f"shape {array.shape} and type {array.dtype}" if isinstance(array, np.ndarray) else "no array"
        )
        raise InputError(
            f"{path.name}: a matrix of floating-point numbers is needed, tokens x width; it has {description}"
        )
    check_matrix_size(*array.shape)
    return _to_float32(array)


def _read_safetensors(path: Path, rows: int, tensor: str | None) -> Floats:
    tensors = _read_header(path)
    chosen = _choose_tensor(path.name, tensors, rows, tensor)
    entry = tensors[chosen]
    if entry.type not in _TYPES or len(entry.shape) != 2:
        raise InputError(
            f"{path.name}: {chosen} is {entry.type} of shape {entry.shape}; a matrix of floats is needed"
        )
    check_matrix_size(*entry.shape)
    raw = np.memmap(path, dtype=_TYPES[entry.type], mode="r", offset=entry.start, shape=entry.shape)
    if entry.type == "BF16":
        # A bfloat16 is the upper half of a float32.
        return (raw.astype(np.uint32) << 16).view(np.float32)
    return _to_float32(raw)


def _read_header(path: Path) -> dict[str, _Tensor]:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = struct.unpack("<Q", file.read(8).ljust(8, b"\0"))[0]
        if size < 8 or length > min(size - 8, _MOST_HEADER):
            raise InputError(f"{path.name}: not a safetensors file")
        text = file.read(length)
    try:
        data: Any = json.loads(text)
        tensors = {
            str(name): _parse_tensor(facts, 8 + length, size)
            for name, facts in data.items()
            if name != "__metadata__"
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{path.name}: not a safetensors file: {error}"[:300]) from error
    return tensors


def _parse_tensor(facts: dict[str, Any], data_at: int, size: int) -> _Tensor:
    shape = tuple(int(n) for n in facts["shape"])
    start, end = (data_at + int(n) for n in facts["data_offsets"])
    kind = str(facts["dtype"])
    if min(shape, default=0) < 0 or not data_at <= start <= end <= size:
        raise ValueError("a tensor lies outside the file")
    if kind in _TYPES and math.prod(shape) * np.dtype(_TYPES[kind]).itemsize != end - start:
        raise ValueError("a tensor's shape does not fit its bytes")
    return _Tensor(kind, shape, start, end)


def _choose_tensor(where: str, tensors: dict[str, _Tensor], rows: int, wanted: str | None) -> str:
    if wanted is not None:
        if wanted not in tensors:
            raise InputError(
                f"{where}: there is no tensor {wanted[:200]!r}; there are {_format_names(list(tensors))}"
            )
        return wanted
    matrices = [n for n, t in tensors.items() if len(t.shape) == 2 and t.type in _TYPES]
    fitting = [n for n in matrices if tensors[n].shape[0] == rows]
    embedding_like = [n for n in fitting if any(word in n.lower() for word in ("emb", "wte"))]
    if len(fitting) == 1 or len(embedding_like) == 1:
        return embedding_like[0] if len(embedding_like) == 1 else fitting[0]
    if fitting:
        raise InputError(f"{where}: several matrices have {rows:,} rows; say which: {_format_names(fitting)}")
    shapes = [f"{n} ({tensors[n].shape[0]:,} x {tensors[n].shape[1]:,})" for n in matrices]
    raise InputError(
        f"{where}: no matrix has {rows:,} rows, as many as the vocabulary has tokens; there are {_format_names(shapes)}"
    )


def _format_names(names: list[str]) -> str:
    listed = ", ".join(name[:80] for name in names[:8]) or "none"
    return f"{listed}, and {len(names) - 8} more" if len(names) > 8 else listed


def _to_float32(array: NDArray[Any]) -> Floats:
    # Values that overflow become infinite, and the caller rejects them.
    with np.errstate(over="ignore"):
        return np.array(array, dtype=np.float32, order="C")
