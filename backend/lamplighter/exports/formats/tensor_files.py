"""The embedding at one step as safetensors or npy, and headers of such files: bit for bit, never a pickle."""

from __future__ import annotations

import io
import json
import math
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from lamplighter.exports.output import ExportProgress
from lamplighter.exports.step_snapshot import read_step_snapshot
from lamplighter.runfolder.run_folder import RunFolder

_NAMES = {"float32": "F32", "int64": "I64"}


def npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return the header of an npy file in C order; `dtype` must hold no objects, which need a pickle."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


def safetensors_header(
    tensors: Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]], metadata: Mapping[str, str]
) -> bytes:
    """Return the header of a safetensors file of float32 and int64 tensors, by name. The numbers must follow
    in the order of `tensors`, little-endian.
    """
    head: dict[str, Any] = {"__metadata__": dict(metadata)}
    offset = 0
    for name, (dtype, shape) in tensors.items():
        end = offset + dtype.itemsize * math.prod(shape)
        head[name] = {"dtype": _NAMES[dtype.name], "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(head).encode()
    # The format requires the numbers to start at a multiple of eight.
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def write_safetensors(run: RunFolder, step: int | None, out: Path, progress: ExportProgress) -> None:
    """Write `embedding` (V, D) and, if there is a map, `coordinates` (V, 2), both float32, or raise
    ExportError. The metadata are `run`, `attempt`, `step` and, for the map, `layout_step` and
    `layout_method`.
    """
    snapshot = read_step_snapshot(run, step)
    progress(0.5, "writing")
    tensors = {"embedding": np.ascontiguousarray(snapshot.vectors)}
    if snapshot.layout is not None:
        tensors["coordinates"] = np.ascontiguousarray(snapshot.layout.coordinates)
    save_tensors(tensors, out, snapshot.metadata())


def save_tensors(tensors: dict[str, NDArray[np.float32]], out: Path, metadata: dict[str, str]) -> None:
    """Write contiguous arrays to a safetensors file with the default permissions."""
    # The library would create a private file.
    out.touch()
    mode = out.stat().st_mode
    save_file(tensors, out, metadata=metadata)
    out.chmod(stat.S_IMODE(mode))


def write_npy(run: RunFolder, step: int | None, out: Path, progress: ExportProgress) -> None:
    """Write the embedding alone, (V, D) float32, or raise ExportError if the step is not stored exactly."""
    snapshot = read_step_snapshot(run, step)
    progress(0.5, "writing")
    with out.open("wb") as file:
        np.save(file, snapshot.vectors, allow_pickle=False)
