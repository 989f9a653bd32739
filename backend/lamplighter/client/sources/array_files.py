"""Matrices in numpy's files, `.npy` and `.npz`, and in memory. Large ones are read by rows.

Nothing is unpickled, and sizes are checked before anything is read.
"""

from __future__ import annotations

import math
import tokenize
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import MAX_BYTES, check_matrix_size, to_host_array, to_matrix
from lamplighter.client.sources.model_folder import choose_tensor
from lamplighter.runfolder.matrices.stored_matrix import StoredMatrix, StoredTensor
from lamplighter.wire.binary import MAX_VOCABULARY, Floats
from lamplighter.wire.row_source import RowSource

_HALF_TYPES = {"bfloat16": "BF16", "float16": "F16"}


class MemoryRows:
    """A matrix, shape (V, D), of which float32 copies of rows are made when they are asked for. `type` is as
    safetensors names it."""

    def __init__(self, values: Any, kind: str) -> None:
        self._values = values
        self.type = kind
        rows, width = values.shape
        self.shape: tuple[int, int] = (int(rows), int(width))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | NDArray[np.integer]) -> Floats:
        with np.errstate(over="ignore"):
            return np.array(to_host_array(self._values[rows], "embedding"), dtype=np.float32, order="C")


class ReorderedRows:
    """The rows of a matrix in another order: row i is row `order[i]` of the matrix."""

    def __init__(self, matrix: RowSource, order: NDArray[np.int64]) -> None:
        self._matrix, self._order = matrix, order
        self.type = getattr(matrix, "type", "F32")
        self.shape = matrix.shape

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, rows: slice | NDArray[np.integer]) -> Floats:
        return self._matrix[self._order[rows]]


def open_memory(embedding: Any) -> RowSource:
    """Return a matrix in memory: a copy, or a reference if it is in half precision or large."""
    weight = embedding if hasattr(embedding, "shape") else getattr(embedding, "weight", embedding)
    shape = tuple(getattr(weight, "shape", ()))
    kind = _HALF_TYPES.get(str(getattr(weight, "dtype", "")).removeprefix("torch."), "F32")
    is_large = len(shape) == 2 and 4 * shape[0] * shape[1] > MAX_BYTES
    if len(shape) != 2 or not (kind != "F32" or is_large):
        return np.array(to_matrix(weight), copy=True)
    check_matrix_size(int(shape[0]), int(shape[1]), 4 if kind == "F32" else 2)
    # One row shows whether it is a matrix of numbers.
    to_matrix(weight[:3])
    return MemoryRows(weight, kind)


STORED_TYPES = {"<f8": "F64", "<f4": "F32", "<f2": "F16"}
"""numpy's types that are read by rows, as safetensors names them."""
_MAX_ARRAYS = 1_000
_NPY_ERRORS = (
    ValueError,
    EOFError,
    SyntaxError,
    TypeError,
    RecursionError,
    MemoryError,
    OverflowError,
    # numpy parses an unusual header again, token by token.
    tokenize.TokenError,
)


def to_float32(array: NDArray[Any]) -> Floats:
    """Return a copy as contiguous float32; values that overflow become infinite, and the caller rejects them."""
    with np.errstate(over="ignore"):
        return np.array(array, dtype=np.float32, order="C")


def open_npy(path: Path) -> RowSource:
    """Return the matrix in an `.npy` file, shape (V, D), read by rows if it lies there row by row."""
    array = map_npy(path)
    kind = STORED_TYPES.get(array.dtype.str)
    if kind is None or not isinstance(array, np.memmap) or not array.flags.c_contiguous:
        check_matrix_size(*array.shape)
        return to_float32(array)
    rows, width = array.shape
    check_matrix_size(rows, width, array.itemsize)
    return StoredMatrix(path, StoredTensor(kind, (rows, width), array.offset, array.offset + array.nbytes))


def map_npy(path: Path) -> NDArray[Any]:
    """Return the matrix of floating-point numbers in an `.npy` file, shape (V, D), mapped and not read."""
    try:
        # Memory-mapped, so that a header cannot claim more memory than the file has bytes.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except _NPY_ERRORS as error:
        raise InputError(f"{path.name}: not an .npy file of numbers: {error}".split("\n")[0]) from error
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind != "f":
        description = (
            f"shape {array.shape} and type {array.dtype}" if isinstance(array, np.ndarray) else "no array"
        )
        raise InputError(
            f"{path.name}: a matrix of floating-point numbers is needed, tokens x width; it has {description}"
        )
    return array


def read_npz(path: Path, rows: int | None, wanted: str | None) -> tuple[Floats, list[str] | None, str]:
    """Return one matrix of an `.npz` file as float32, the tokens if an array has equally many texts, and the matrix's
    name. `rows`: V, if it is known; `wanted`: the name of the array, None if only one fits."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
            if len(members) > _MAX_ARRAYS:
                raise InputError(f"{path.name}: more than {_MAX_ARRAYS:,} arrays")
            found: dict[str, tuple[zipfile.ZipInfo, tuple[int, ...], np.dtype[Any]]] = {}
            for member in members:
                with archive.open(member) as file:
                    shape, _, kind = _read_array_header(file)
                found[member.filename.removesuffix(".npy")] = member, shape, kind
            matrices = {
                name: shape
                for name, (_, shape, kind) in found.items()
                if len(shape) == 2 and kind.kind == "f"
            }
            chosen = choose_tensor(path.name, matrices, rows, wanted)
            check_matrix_size(*matrices[chosen])
            size = matrices[chosen][0]
            texts = [
                member
                for member, shape, kind in found.values()
                if kind.kind == "U" and shape == (size,) and size * kind.itemsize <= MAX_BYTES
            ]
            tokens = [str(text) for text in _read_member(archive, texts[0])] if len(texts) == 1 else None
            return to_float32(_read_member(archive, found[chosen][0])), tokens, chosen
    except InputError:
        raise
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        zipfile.LargeZipFile,
        *_NPY_ERRORS,
    ) as error:
        raise InputError(f"{path.name}: not an .npz file of numbers: {error}".split("\n")[0]) from error


def _read_array_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy_format.read_magic(file)
    reader = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, fortran, kind = reader(file)
    if kind.hasobject or min(shape, default=0) < 0 or max(shape, default=0) > max(MAX_VOCABULARY, MAX_BYTES):
        raise ValueError("an array of objects, or of an impossible shape")
    return shape, fortran, kind


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as file:
        shape, fortran, kind = _read_array_header(file)
        length = math.prod(shape) * kind.itemsize
        # Read no more than the checked shape needs, even if a small member unpacks to more.
        data = file.read(length)
    if len(data) != length:
        raise ValueError("an array is cut short")
    return np.frombuffer(data, dtype=kind).reshape(shape, order="F" if fortran else "C")
