"""The measure of a run without recorded batches that tells which rows were never read: those that stayed."""

from __future__ import annotations

from lamplighter.geometry.stayed_rows import measure_stayed
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.training_start import read_training_start
from lamplighter.wire.row_source import RowSource


def count_stayed(run: RunFolder, step: int, vectors: RowSource) -> dict[str, float]:
    """Return `rows_stayed` for the matrix after a step, shape (V, D); nothing if the first matrix is not kept."""
    try:
        # Closed before computing: a trainer can seal its file only without readers.
        with MatrixHistory(run) as history:
            start, steps = read_training_start(history, step)
    except NoSnapshotError:
        return {}
    return {"rows_stayed": float(len(measure_stayed(start.vectors, vectors, steps).ids))}
