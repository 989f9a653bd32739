"""The heads of npy and safetensors files, for whoever writes the numbers behind them a block at a time."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

_NAMES = {"float32": "F32", "int64": "I64"}


def npy_head(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """What stands before the numbers of an npy file, in C order. Never a pickle: `dtype` must hold no objects."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


def safetensors_head(
    tensors: Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]], metadata: Mapping[str, str]
) -> bytes:
    """What stands before the numbers of a safetensors file; they follow in the order of `tensors`, little-endian.

    Args:
        tensors: data type (float32 or int64) and shape by name.
        metadata: what the file says of itself.
    """
    head: dict[str, Any] = {"__metadata__": dict(metadata)}
    at = 0
    for name, (dtype, shape) in tensors.items():
        end = at + dtype.itemsize * math.prod(shape)
        head[name] = {"dtype": _NAMES[dtype.name], "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(head).encode()
    # The format wants the numbers to begin at a multiple of eight.
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
