"""The matrices in an untrusted `.safetensors` file."""

from __future__ import annotations

from pathlib import Path

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import check_matrix_size
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.reading.tensor_file import StoredTensor, read_stored_matrix, read_tensor_header
from lamplighter.wire.binary import Floats


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


def read_tensor(path: Path, name: str, entry: StoredTensor) -> Floats:
    """Return one matrix of a file as float32, shape (V, D).

    Raises:
        InputError: it is not a matrix of numbers, or too large for a run.
        OSError: the file cannot be read.
    """
    if not entry.is_matrix:
        raise InputError(
            f"{path.name}: {name[:200]} is {entry.type} of shape {entry.shape}; a matrix of floats is needed"
        )
    check_matrix_size(*entry.shape)
    return read_stored_matrix(path, entry)
