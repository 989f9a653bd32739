"""The matrix with which a record begins, and how much training lies between it and a step."""

from __future__ import annotations

from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import OpenSnapshot, Snapshot
from lamplighter.runfolder.step_numbers import read_step_numbers


def read_training_start(history: MatrixHistory, step: int) -> tuple[Snapshot | OpenSnapshot, int]:
    """Return the first matrix that is kept, and the number of training steps from it to `step`; of a record
    without numbers, that of recorded steps. Raises NoSnapshotError if no matrix is kept up to `step`.
    """
    exact = history.exact_steps()
    if not len(exact) or exact[0] > step:
        raise NoSnapshotError(step, None)
    first = int(exact[0])
    numbers = read_step_numbers(history.steps.facts())
    start, end = numbers.number_of(first), numbers.number_of(step)
    return history.open_snapshot(first), step - first if start is None or end is None else end - start
