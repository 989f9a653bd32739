"""The analyst's main loop: it follows a run and computes measures at keyframes and at the end, and tiles of moved rows.

The analyst has the lowest CPU priority. It rests after each set of measures in proportion to its cost, and when it
falls behind it skips to the newest keyframe. Once the run has ended and is tiled, it completes the measures of the
run's curve.

A run trained without a server was measured only at its last step. Each step's measures are one transaction, so that a
killed filler loses nothing, and the next one continues.
"""

from __future__ import annotations

from collections.abc import Callable

from lamplighter.analysis.measures import measure_losses, measure_snapshot
from lamplighter.analysis.tile_builder import TileBuilder
from lamplighter.platform import failpoint
from lamplighter.processes.follow_loop import CpuShare, FollowLoop
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.curve_steps import read_curve_measures
from lamplighter.runfolder.reading.matrix_history import MatrixFollower, MatrixHistory
from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.measures import MeasuresReader, MeasuresWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.finalise import compact_run


def fill_curves(run: RunFolder, stopped: Callable[[], bool]) -> None:
    """Measure the steps of a run's curve that lack measures, until `stopped` returns True or the run is
    continued. The caller must be the run's analyst. Raises FormatError if this version cannot read the
    folder.
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


POLL = 0.1
"""Seconds between two polls of the run."""
SHARE = 0.12
"""Maximum share of one core while the run is trained."""


class Analyst:
    """A loop that analyses one run until it ends."""

    def __init__(self, run: RunFolder, *, share: float = SHARE) -> None:
        self._run = run
        self._loop = FollowLoop(run, "the analyst", POLL)
        self._share = CpuShare(share)
        self._follower = MatrixFollower(run)
        self._tiler = TileBuilder(run, share)

    def stop(self) -> None:
        self._loop.stop()

    def run(self) -> None:
        """Follow the run to its end. While the disk is full, retry from the last stored measures, as after a
        crash. Raises FormatError if this version cannot read the folder.
        """
        self._loop.run_to_end(self._run_once)

    def _run_once(self) -> None:
        reader = None
        while reader is None:
            if self._loop.stopped or self._loop.abandoned():
                return
            reader = self._loop.open_steps()
            if reader is None:
                self._loop.wait()
        tiled = False
        try:
            over = self._measure_until_over(reader)
            tiled = over and self._tiler.build_rest(lambda: self._loop.stopped)
        finally:
            self._tiler.close(sealed=tiled)
        if tiled:
            compact_run(self._run)
            fill_curves(self._run, lambda: self._loop.stopped)

    def _measure_until_over(self, reader: StepsReader | None) -> bool:
        """Measure and tile until the run has ended (True) or `stop` was called (False)."""
        # The trainer can seal its file only without readers, so close the reader whenever it is not in use: while
        # computing measures and while resting.
        over = False
        with MeasuresWriter(self._run.measures_path) as writer:
            try:
                done = _last_measured(self._run)
                version = -1
                self._share.wake()
                while not self._loop.stopped and not over and not self._loop.abandoned():
                    self._tiler.build_if_due()
                    if self._share.resting:
                        self._loop.wait()
                        continue
                    if reader is None:
                        reader, version = self._loop.open_steps(), -1
                    now = version if reader is None else reader.version()
                    if reader is None or now == version:
                        self._loop.wait()
                        continue
                    version = now
                    over = reader.phase().has_ended
                    attempt, last = reader.newest_step()
                    step = last if over else reader.keyframe_step(last)
                    if attempt == 0 or step is None:
                        continue
                    start = self._share.start_work()
                    self._follower.advance(reader, to=step)
                    measured = self._follower.attempt, self._follower.step
                    census = (
                        read_touches(reader, measured[1]) if measured[1] >= 0 and measured != done else None
                    )
                    # The loop may have logged numbers after the last step was measured.
                    losses = _read_losses(reader, done, measured[1], again=over) if over or census else {}
                    if over or census is not None:
                        reader.close()
                        reader = None
                    if census is not None:
                        values = measure_snapshot(
                            self._run, measured[1], self._follower.vectors, census.recorded
                        )
                        losses[measured] = losses.get(measured, {}) | values
                    for step, found in losses.items():
                        writer.commit(*step, found)
                    if census is not None:
                        done = measured
                        self._share.rest_since(start)
            finally:
                if reader is not None:
                    reader.close()
            writer.close(sealed=over)
        return over


def _read_losses(
    reader: StepsReader, done: tuple[int, int], last: int, *, again: bool
) -> dict[tuple[int, int], dict[str, float]]:
    """Return the losses and logged numbers by attempt and step, after those that are done (with `again`: from the last
    of them) up to `last`. Includes skipped keyframes, since losses are already recorded."""
    lineage = reader.lineage()
    first = max(0, done[1] + (0 if again else 1))
    newest = lineage.range_at(last)
    if newest is not None and newest.attempt != done[0]:
        first = min(first, newest.first)
    return {
        (range_.attempt, step): losses
        for step, losses in measure_losses(reader, first, last).items()
        if (range_ := lineage.range_at(step)) is not None
    }


def _last_measured(run: RunFolder) -> tuple[int, int]:
    """Return (attempt, step) of the newest measures; (0, -1) for none."""
    with MeasuresReader(run.measures_path) as reader:
        return reader.newest()
