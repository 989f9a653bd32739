"""Matrices in safetensors files, of which rows are read when they are asked for; among them a keyframe's, which lies in a
file of its own with one tensor, `matrices/STEP-ATTEMPT.safetensors`.

Rows are read, not mapped: the pages of a mapping would count as memory of this process once they have been seen, and a
pass over the table sees all of them. We parse the header ourselves because the library's numpy reader does not support
bfloat16, and to read one matrix of a large file without the others.

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
from numpy.typing import NDArray

from lamplighter.platform.folder_sync import replace_durably, sync_file
from lamplighter.platform.printable import quote_foreign
from lamplighter.platform.private_modes import make_private_folder, open_like_folder, open_regular
from lamplighter.runfolder import remote_files
from lamplighter.runfolder.errors import FormatError, MatrixTooLargeError
from lamplighter.wire.binary import MAX_VOCABULARY, Floats
from lamplighter.wire.frames import MAGIC, decode_as
from lamplighter.wire.row_frames import MAX_DIM, Rows

MAX_HEADER = 100_000_000
"""Maximum bytes of a header; the limit of the safetensors library."""
_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True)
class StoredTensor:
    """The place of one tensor in its file."""

    type: str
    shape: tuple[int, ...]
    start: int
    end: int

    @property
    def number_type(self) -> np.dtype[Any]:
        """Return numpy's type of its numbers; a bfloat16, which numpy lacks, is read as its bits."""
        return np.dtype(_TYPES[self.type])

    @property
    def is_matrix(self) -> bool:
        return len(self.shape) == 2 and self.type in _TYPES


def read_tensor_header(path: Path, most: int = MAX_HEADER) -> dict[str, StoredTensor]:
    """Return the tensors of a file by name, without reading them. `most`: maximum bytes of the header. Raises
    FormatError if the file is not a safetensors file, or a tensor lies outside it, OSError if the file
    cannot be read.
    """
    remote_files.bring(path)
    size = path.stat().st_size
    with open(path, "rb", opener=open_regular) as file:
        length = struct.unpack("<Q", file.read(8).ljust(8, b"\0"))[0]
        if size < 8 or length > min(size - 8, most):
            raise FormatError(f"{path.name}: not a safetensors file")
        text = file.read(length)
    return parse_tensor_header(text, size, path.name)


def parse_tensor_header(text: bytes, size: int, where: str) -> dict[str, StoredTensor]:
    """Return the tensors of a file by name. `text`: its header, after the eight bytes of its length. `size`:
    the bytes of the whole file. `where` begins the message of the FormatError if it is not the header of
    such a file.
    """
    try:
        data: Any = json.loads(text)
        return {
            str(name): _parse_tensor(facts, 8 + len(text), size)
            for name, facts in data.items()
            if name != "__metadata__"
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise FormatError(f"{where}: not a safetensors file: {quote_foreign(error)}") from error


def to_float32(raw: NDArray[Any], entry: StoredTensor) -> Floats:
    """Return numbers as they lie in a file as float32; a view if they are. Values that overflow become infinite."""
    if entry.type == "BF16":
        # A bfloat16 is the upper half of a float32.
        bits = raw.astype(np.uint32)
        bits <<= 16
        return bits.view(np.float32)
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(raw, dtype=np.float32)


def _parse_tensor(facts: dict[str, Any], data_at: int, size: int) -> StoredTensor:
    shape = tuple(int(n) for n in facts["shape"])
    start, end = (data_at + int(n) for n in facts["data_offsets"])
    kind = str(facts["dtype"])
    if min(shape, default=0) < 0 or not data_at <= start <= end <= size:
        raise ValueError("a tensor lies outside the file")
    if kind in _TYPES and math.prod(shape) * np.dtype(_TYPES[kind]).itemsize != end - start:
        raise ValueError("a tensor's shape does not fit its bytes")
    return StoredTensor(kind, shape, start, end)


MAX_WHOLE_BYTES = 900_000_000
"""Maximum bytes of a matrix in float32 that is read whole."""


class StoredMatrix:
    """A matrix of shape (V, D) in a file, indexed by rows like an array: `matrix[10:20]`, `matrix[ids]`, `matrix[3]`.

    Reading copies rows as float32. Any thread may read; the file is open only meanwhile.
    """

    def __init__(self, path: Path, entry: StoredTensor) -> None:
        """Describe a matrix; the caller has checked `entry.is_matrix`. Nothing is read."""
        self._path, self._entry = path, entry
        rows, width = entry.shape
        self.shape: tuple[int, int] = (rows, width)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def type(self) -> str:
        """Return the type of its numbers on the disk, as safetensors names it: `F32`, `F16`, `BF16` or `F64`."""
        return self._entry.type

    def __getitem__(self, rows: slice | NDArray[np.integer] | int) -> Any:
        """Return some rows, shape (N, D), or one, shape (D,), as float32; values that overflow become
        infinite. Raises IndexError if there is no such row, FormatError if the file has become shorter,
        OSError if it cannot be read.
        """
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step != 1:
                return self[np.arange(start, stop, step)]
            stop = max(start, stop)
            return self._read(max(0, stop - start), [(0, start, stop)])
        if not isinstance(rows, np.ndarray):
            return self[np.array([rows])][0]
        ids = rows.astype(np.int64)
        ids[ids < 0] += len(self)
        if len(ids) and not 0 <= ids.min() <= ids.max() < len(self):
            raise IndexError(f"a matrix of {len(self)} rows has not all of these")
        # Consecutive rows are read at once.
        begins = np.flatnonzero(np.diff(ids, prepend=-2) != 1).tolist()
        ends = [*begins[1:], len(ids)]
        return self._read(
            len(ids),
            [(at, int(ids[at]), int(ids[end - 1]) + 1) for at, end in zip(begins, ends, strict=False)],
        )

    def __array__(self, *_: Any, **__: Any) -> NDArray[Any]:
        raise TypeError("a stored matrix is read by rows: matrix[start:stop]")

    @property
    def is_small(self) -> bool:
        """Return whether all rows fit into memory beside what is computed from them."""
        return 4 * self.shape[0] * self.shape[1] <= MAX_WHOLE_BYTES

    def read_whole(self, step: int) -> Floats:
        """Return all rows, shape (V, D). Raises MatrixTooLargeError if they would take too much memory;
        `step`, that of the matrix, is for the message.
        """
        if not self.is_small:
            raise MatrixTooLargeError(step, *self.shape)
        return self[:]

    def _read(self, count: int, parts: list[tuple[int, int, int]]) -> Floats:
        """Read parts of the file: where each begins in the result, its first row, and the row after its last."""
        kind, width = self._entry.number_type, self.shape[1]
        raw = np.empty((count, width), dtype=kind)
        # An array without numbers has no bytes to view.
        view = raw.reshape(-1).view(np.uint8).data if raw.size else memoryview(b"")
        row_bytes = width * kind.itemsize
        with self._path.open("rb", buffering=0) as file:
            for at, first, end in parts:
                file.seek(self._entry.start + first * row_bytes)
                left = view[at * row_bytes : (at + end - first) * row_bytes]
                while left:
                    done = file.readinto(left)
                    if not done:
                        raise FormatError(f"{self._path.name}: it has become shorter while it was read")
                    left = left[done:]
        return to_float32(raw, self._entry)


def matrix_type(matrix: Any) -> str:
    """Return in which type a matrix is stored without a loss, as safetensors names it: its own, or `F32`."""
    kind = getattr(matrix, "type", "F32")
    return kind if kind in ("F16", "BF16") else "F32"


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
