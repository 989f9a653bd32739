"""A keyframe whose matrix lies in a file of its own, `matrices/STEP-ATTEMPT.safetensors`: a safetensors file with one tensor.

In the record of the steps, such a keyframe is a short JSON text in place of a frame. Versions that do not know it refuse
the run by the format of its recipe (`contract/recipe.py`).
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lamplighter.platform.folder_sync import replace_durably, sync_file
from lamplighter.platform.private_modes import make_private_folder, open_like_folder
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.matrices.stored_matrix import StoredMatrix, read_tensor_header
from lamplighter.wire.binary import MAX_VOCABULARY, Floats
from lamplighter.wire.frames import MAGIC, decode_as
from lamplighter.wire.row_frames import MAX_DIM, Rows

TENSOR = "embedding"
"""The name of the tensor in the file."""
STORED_TYPES = ("F32", "F16", "BF16")
_MAX_HEADER = 1_000
_MAX_STEP = (1 << 32) - 1


@dataclass(frozen=True)
class MatrixReference:
    """The matrix after a step, in a file of the run's folder."""

    attempt: int
    step: int
    time: float
    rows: int
    width: int
    type: str
    """The type of its numbers, as safetensors names it: one of `STORED_TYPES`."""

    @property
    def file_name(self) -> str:
        """Return the path of its file, from the run's folder."""
        return f"matrices/{self.step:010d}-{self.attempt:04d}.safetensors"

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @staticmethod
    def decode(record: bytes) -> MatrixReference:
        """Return the reference in the record of a keyframe. Raises FormatError if it is not one."""
        try:
            found: Any = json.loads(record)
            reference = MatrixReference(**found)
        except (ValueError, TypeError, RecursionError) as error:
            raise FormatError("a keyframe that is neither a matrix nor the place of one") from error
        limits = {"attempt": 9_999, "step": _MAX_STEP, "rows": MAX_VOCABULARY, "width": MAX_DIM}
        for name, limit in limits.items():
            value = found[name]
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= limit:
                raise FormatError(f"the place of a matrix has an impossible {name}")
        if not isinstance(found["time"], int | float) or not math.isfinite(reference.time):
            raise FormatError("the place of a matrix has an impossible time")
        if reference.type not in STORED_TYPES:
            raise FormatError(
                "a matrix is stored in a type that this version does not know: update Lamplighter"
            )
        return reference

    def open_file(self, folder: Path) -> StoredMatrix:
        """Return the matrix in its file, of which only the header is read. `folder`: that of the run. Raises
        FormatError if the file is missing, or another.
        """
        path = folder / self.file_name
        try:
            tensors = read_tensor_header(path, _MAX_HEADER)
        except FileNotFoundError as error:
            raise FormatError(
                f"{self.file_name} is missing: it holds the matrix of step {self.step}"
            ) from error
        entry = tensors.get(TENSOR)
        if (
            entry is None
            or len(tensors) > 1
            or (entry.type, entry.shape) != (self.type, (self.rows, self.width))
        ):
            raise FormatError(f"{self.file_name} is not the matrix of step {self.step}")
        if entry.end != path.stat().st_size:
            raise FormatError(f"{self.file_name} has bytes that are not the matrix's")
        return StoredMatrix(path, entry)


@dataclass(frozen=True)
class KeyframeMatrix:
    """The matrix of a keyframe."""

    attempt: int
    step: int
    time: float
    vectors: Floats | StoredMatrix
    """Shape (V, D). In memory it is a view on the record."""


def open_keyframe(record: bytes, folder: Path) -> KeyframeMatrix:
    """Return the matrix in the record of a keyframe, or in the file that it names in the run's folder. Raises
    FrameError or FormatError if the record, or its file, is damaged or missing.
    """
    if record.startswith(MAGIC):
        rows = decode_as(record, Rows)
        return KeyframeMatrix(rows.attempt, rows.step, rows.time, rows.vectors)
    reference = MatrixReference.decode(record)
    return KeyframeMatrix(reference.attempt, reference.step, reference.time, reference.open_file(folder))


_ALIGNMENT = 64


def write_matrix(folder: Path, reference: MatrixReference, blocks: Iterable[Floats]) -> None:
    """Write the rows of a matrix into the file of its reference in the run's `folder`. It appears complete or
    not at all. The type to store must hold the numbers without a loss. Raises OSError if it cannot be
    written, ValueError if there are more or fewer rows than the reference says.
    """
    path = folder / reference.file_name
    make_private_folder(path.parent, exist_ok=True)
    part = path.with_suffix(".part")
    size = reference.rows * reference.width * (4 if reference.type == "F32" else 2)
    shape = [reference.rows, reference.width]
    text = json.dumps({TENSOR: {"dtype": reference.type, "shape": shape, "data_offsets": [0, size]}})
    # Padded with spaces, as the format allows, so that the numbers are aligned for those who map the file.
    header = text.encode().ljust(-(-(8 + len(text)) // _ALIGNMENT) * _ALIGNMENT - 8)
    part.unlink(missing_ok=True)
    try:
        with open(part, "xb", opener=open_like_folder) as file:
            file.write(struct.pack("<Q", len(header)) + header)
            for block in blocks:
                file.write(_narrow(block, reference.type))
            if file.tell() != 8 + len(header) + size:
                raise ValueError("a matrix of another number of rows than was said")
        sync_file(part)
        replace_durably(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _narrow(block: Floats, kind: str) -> bytes | memoryview:
    rows = np.ascontiguousarray(block, dtype="<f4")
    if kind == "F16":
        return rows.astype("<f2").reshape(-1).view(np.uint8).data
    if kind == "BF16":
        # A bfloat16 is the upper half of a float32; the lower half is zero here.
        return rows.reshape(-1).view("<u2")[1::2].tobytes()
    return rows.reshape(-1).view(np.uint8).data
