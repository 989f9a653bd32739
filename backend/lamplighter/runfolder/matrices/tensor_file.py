"""The matrices in a `.safetensors` file, whose sizes are checked before any number is read.

We parse the header ourselves because the library's numpy reader does not support bfloat16, and to read one matrix of a
large file without the others.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.platform.printable import quote_foreign
from lamplighter.platform.regular_file import open_regular
from lamplighter.runfolder import remote_files
from lamplighter.runfolder.errors import FormatError
from lamplighter.wire.binary import Floats

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
