"""An estimate of the memory of a worker that reads the matrices of a run: the map, the measures, an export."""

from __future__ import annotations

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder

_MATRICES = 16
"""Number of matrices that such a worker may hold at once, including intermediate results."""
_NEIGHBOUR_BYTES = 64
"""Bytes for each neighbour of a row in the graph of a map."""
_FLOAT_BYTES = 4


def estimate_matrix_worker_bytes(run: RunFolder) -> int:
    """Estimate the bytes of memory that a worker needs for a run, beyond its libraries.

    The estimate for an unreadable run is 0: its worker reports why it cannot be read.
    """
    try:
        recipe = run.recipe
        rows = len(run.vocabulary) if run.is_prepared else recipe.corpus.vocabulary_size
    except READ_ERRORS:
        return 0
    return rows * (_MATRICES * _FLOAT_BYTES * recipe.model.dim + _NEIGHBOUR_BYTES * recipe.map.neighbours)
