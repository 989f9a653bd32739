"""The price of a response in memory, known before it is computed."""

from __future__ import annotations

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.http.problems import RefusedError

JSON_NUMBERS = 2_000_000
_MATRIX_BYTES = 1 << 30
_LARGE_MATRIX = 32 << 20


def estimate_memory(run: RunFolder, size: int) -> int:
    """Return the bytes of memory that a response of `size` bytes takes: at least the matrix's, if that is large.

    Raises:
        RefusedError: the matrix is larger than a server should hold (422).
    """
    matrix = 4 * len(run.vocabulary) * run.recipe.model.dim
    if matrix > _MATRIX_BYTES:
        raise RefusedError(
            422,
            f"the matrix of {run.id} has {matrix / 1e9:.1f} GB, more than this server sends: open the run's folder "
            "from Python instead, with lamplighter.open",
        )
    return max(size, matrix if matrix > _LARGE_MATRIX else 0)
