"""The matrices in an untrusted `.safetensors` file."""

from __future__ import annotations

from pathlib import Path

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import check_matrix_size
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.matrices.stored_matrix import StoredMatrix
from lamplighter.runfolder.matrices.tensor_file import StoredTensor, read_tensor_header


def read_header(path: Path) -> dict[str, StoredTensor]:
    """Return the tensors of a file by name, without reading them.

    Raises:
        InputError: it is not such a file, or a tensor lies outside it.
        OSError: it cannot be read.
    """
    try:
        return read_tensor_header(path)
    except FormatError as error:
        raise InputError(str(error)) from error


def open_tensor(path: Path, name: str, entry: StoredTensor) -> StoredMatrix:
    """Return one matrix of a file, shape (V, D), of which nothing is read yet.

    Raises:
        InputError: it is not a matrix of numbers, or too large for a run.
    """
    if not entry.is_matrix:
        raise InputError(
            f"{path.name}: {name[:200]} is {entry.type} of shape {entry.shape}; a matrix of floats is needed"
        )
    rows, width = entry.shape
    check_matrix_size(rows, width, entry.number_type.itemsize)
    return StoredMatrix(path, entry)
