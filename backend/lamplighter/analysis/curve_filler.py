"""Completion of a finished run's curves: measures of steps without them, or with an incomplete set.

A run trained without a server was measured only at its last step. Each step's measures are one transaction, so that a
killed filler loses nothing, and the next one continues.
"""

from __future__ import annotations

from collections.abc import Callable

from lamplighter.analysis.snapshot_measures import measure_snapshot
from lamplighter.platform import failpoint
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.curve_steps import read_curve_measures
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.measures import MeasuresWriter


def fill_curves(run: RunFolder, stopped: Callable[[], bool]) -> None:
    """Measure the steps of a run's curve that lack measures, until `stopped` returns True or the run is continued. The
    caller must be the run's analyst.

    Raises:
        FormatError: this version cannot read the folder.
    """
    with MatrixHistory(run) as history:
        curve = read_curve_measures(run, history)
        lacking = curve.lacking
        if not lacking:
            return
        batches_known = read_touches(history.steps, curve.wanted[-1][1]).recorded is not None
    with MeasuresWriter(run.measures_path) as writer:
        for attempt, step in lacking:
            if stopped() or not _fill_step(run, writer, attempt, step, batches_known=batches_known):
                return
        writer.close(sealed=True)


def _fill_step(
    run: RunFolder, writer: MeasuresWriter, attempt: int, step: int, *, batches_known: bool
) -> bool:
    """Measure one step. Return False if the run was continued."""
    # Close the record before computing measures, so as not to delay a trainer that continues the run.
    with MatrixHistory(run) as history:
        if not history.steps.phase().has_ended:
            return False
        try:
            matrix = history.open_snapshot(step)
            touches = read_touches(history.steps, step).recorded if batches_known else None
        except NoSnapshotError:
            return True
    if matrix.attempt == attempt:
        values = measure_snapshot(run, step, matrix.vectors, touches)
        with failpoint.trigger_within("fill"):
            writer.commit(attempt, step, values)
    return True
