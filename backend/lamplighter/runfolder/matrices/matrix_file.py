"""The writer of a matrix's own file."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lamplighter.platform.folder_sync import replace_durably, sync_file
from lamplighter.platform.private_modes import make_private_folder, open_like_folder
from lamplighter.runfolder.matrices.matrix_reference import TENSOR, MatrixReference
from lamplighter.wire.binary import Floats

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
