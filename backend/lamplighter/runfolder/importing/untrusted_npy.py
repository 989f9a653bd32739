"""The check of an untrusted npy file, made before its header is relied on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.errors import FormatError

_MAX_HEADER = 1_000


def check_token_ids(path: Path) -> None:
    """Check that a file is an array of token ids, shape (N,), whose length matches its header. Raises
    FormatError if the file is not such an array, OSError if it cannot be read.
    """
    with path.open("rb") as file:
        try:
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise FormatError(f"{path.name}: an array in an unsupported format")
            shape, _, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=_MAX_HEADER)
        except FormatError:
            raise
        except (ValueError, EOFError, RecursionError, MemoryError) as error:
            raise FormatError(f"{path.name} is not an array: {quote_foreign(error)}") from error
        size = path.stat().st_size - file.tell()
    if dtype != np.dtype("<u4") or len(shape) != 1:
        raise FormatError(f"{path.name}: not token ids of this vocabulary")
    if 4 * int(shape[0]) != size:
        raise FormatError(f"{path.name} is not as long as its header says")
