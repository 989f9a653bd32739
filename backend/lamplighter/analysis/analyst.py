"""The analyst's main loop: it follows a run and computes measures at keyframes and at the end, and builds tiles, which
regroup the moved rows of stretches for fast reading of one token's history.

The analyst has the lowest CPU priority. It rests after each set of measures in proportion to its cost, and when it
falls behind it skips to the newest keyframe. Once the run has ended and is tiled, it completes the measures of the
run's curve.

A run trained without a server was measured only at its last step. Each step's measures are one transaction, so that a
killed filler loses nothing, and the next one continues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.analysis.measures import measure_losses, measure_snapshot
from lamplighter.platform import failpoint
from lamplighter.processes.follow_loop import CpuShare, FollowLoop
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.curves import read_curve_measures
from lamplighter.runfolder.reading.matrix_history import MatrixFollower, MatrixHistory
from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.measures import MeasuresReader, MeasuresWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.tables.tiles import TilesWriter
from lamplighter.runfolder.writing.finalise import compact_run
from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.frames import decode_as
from lamplighter.wire.row_frames import Rows
from lamplighter.wire.tile_frames import encode_tile


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


MAX_STRETCH_STEPS = 200
"""Maximum steps of a stretch: a snapshot unpacks one or two."""
MAX_STRETCH_BYTES = 64 << 20
"""Maximum bytes of a stretch's rows; bounds the analyst's memory at a few times that."""
TILE_BYTES = 256 << 10
"""Approximate bytes of a tile's rows: the cost of reading one token in one stretch."""
_CHECK_SECONDS = 1.0
"""Seconds between two checks for a complete stretch."""


class TileBuilder:
    """A builder of tiles for one run, while it grows and at its end."""

    def __init__(self, run: RunFolder, share: float) -> None:
        """Tile `run` with at most `share` of a core while it is trained."""
        self._run, self._share = run, CpuShare(share)
        self._writer: TilesWriter | None = None

    def build_if_due(self) -> None:
        """Build the tiles of the next stretch if it is complete and the time share allows. Leaves no file of
        the trainer open. Raises FormatError if this version cannot read the folder.
        """
        if self._share.resting:
            return
        start = self._share.start_work()
        if self._build_next(over=False):
            self._share.rest_since(start)
        else:
            self._share.rest_for(_CHECK_SECONDS)

    def build_rest(self, stopped: Callable[[], bool]) -> bool:
        """Tile the rest of a finished run. Returns whether the whole run is tiled; False if `stopped`
        returned True first. Raises FormatError if this version cannot read the folder.
        """
        while not stopped():
            if not self._build_next(over=True):
                return True
        return False

    def close(self, *, sealed: bool) -> None:
        if self._writer is not None:
            self._writer.close(sealed=sealed)
            self._writer = None

    def _build_next(self, *, over: bool) -> bool:
        try:
            with MatrixHistory(self._run) as history:
                if plan_next_stretch(history, over=over) is None:
                    return False
                # Create the file only now: a run without moved rows has none.
                self._writer = self._writer or TilesWriter(self._run.tiles_path)
                return tile_next_stretch(history, self._writer, over=over)
        except (FileNotFoundError, LookupError):
            # The run has not started, was moved away, or has a new attempt: try again next time.
            return False


class TilePlan(NamedTuple):
    """A stretch that can be tiled now: the steps after `base_step`, up to `last`, of one attempt."""

    attempt: int
    base_step: int
    last: int


def plan_next_stretch(history: MatrixHistory, *, over: bool) -> TilePlan | None:
    """Choose the next stretch to tile; None while none is complete. It ends at a keyframe if possible, since
    keyframes between stretches are kept. `over`: whether the run has ended, so that the remaining steps
    form a stretch too.
    """
    steps = history.steps
    lineage, (_, newest) = steps.lineage(), steps.newest_step()
    keyframe = newest if over else (steps.keyframe_step(newest) or 0)
    done = max((stretch.last for stretch in history.stretches()), default=0)
    while True:
        kept = np.array(
            steps.steps_with_rows(done + 1, keyframe, limit=MAX_STRETCH_STEPS + 1), dtype=np.int64
        )
        if not len(kept):
            return None
        base_step = int(kept[0]) - 1
        if base_step == done or steps.keyframe_step(base_step) == base_step:
            break
        # Rows are missing before these, which do not start at a keyframe, so they cannot be tiled.
        following = steps.keyframe_step_after(base_step)
        if following is None:
            return None
        done = following
    range_ = lineage.range_at(base_step + 1)
    if range_ is None:
        # Another attempt began between two reads.
        return None
    consecutive = int(np.argmin(np.append(kept == base_step + 1 + np.arange(len(kept)), False)))
    closed = min(base_step + consecutive, range_.last)
    last = min(closed, base_step + MAX_STRETCH_STEPS)
    if last == keyframe and over:
        return TilePlan(range_.attempt, base_step, last)
    if last - base_step < MAX_STRETCH_STEPS and closed == keyframe:
        return None
    ends = steps.keyframe_step(last)
    return TilePlan(range_.attempt, base_step, ends if ends is not None and base_step < ends else last)


def tile_next_stretch(history: MatrixHistory, writer: TilesWriter, *, over: bool) -> bool:
    """Build the tiles of the next stretch, if it is complete. Returns whether tiles were built. Raises
    LookupError if a new attempt began, or rows are missing; no tiles are stored.
    """
    lineage = history.steps.lineage()
    plan = plan_next_stretch(history, over=over)
    if plan is None:
        return False
    before = history.snapshot(plan.base_step).vectors
    last, ids, steps, rows = _read_moves(history, plan)
    lineage.require_current(history.steps)
    order = np.lexsort((steps, ids))
    tiles = _encode_tiles(plan, last, before, ids[order], steps[order], rows[order])
    writer.commit(plan.attempt, plan.base_step + 1, last, tiles)
    return True


def _read_moves(history: MatrixHistory, plan: TilePlan) -> tuple[int, UInts, UInts, Floats]:
    """Read the moves of a plan up to the byte limit: the last step read, ids and steps, shape (M,), rows,
    shape (M, D)."""
    frames: list[Rows] = []
    taken, step_read = 0, plan.base_step
    while step_read < plan.last and taken < MAX_STRETCH_BYTES:
        batch = history.steps.rows(step_read + 1, min(plan.last, step_read + 16), limit=16)
        if not batch:
            raise LookupError(f"the moved rows of step {step_read + 1} are not there any more")
        for step, data in batch:
            frame = decode_as(data, Rows)
            if step != step_read + 1 or frame.attempt != plan.attempt:
                raise LookupError(f"the moved rows of step {step_read + 1} are not there any more")
            frames.append(frame)
            taken += frame.vectors.nbytes
            step_read = step
    return (
        step_read,
        np.concatenate([frame.token_ids for frame in frames]),
        np.repeat(
            np.array([frame.step for frame in frames], dtype=np.uint32), [len(f.token_ids) for f in frames]
        ),
        np.concatenate([frame.vectors for frame in frames]),
    )


def _encode_tiles(
    plan: TilePlan, last: int, before: Floats, ids: UInts, steps: UInts, rows: Floats
) -> Iterator[tuple[int, bytes]]:
    """Encode the tiles of a stretch's moves, sorted by token and step; yields (first token, bytes)."""
    size, dim = before.shape
    counts = np.bincount(ids, minlength=size).astype(np.uint32)
    ends = np.cumsum(counts, dtype=np.int64)
    for first, following in _token_ranges(ends, max(1, TILE_BYTES // (4 * dim))):
        low, high = (ends[first - 1] if first else 0), ends[following - 1]
        yield (
            first,
            encode_tile(
                plan.attempt,
                (plan.base_step + 1, last),
                first,
                counts[first:following],
                steps[low:high],
                before[first:following],
                rows[low:high],
            ),
        )


def _token_ranges(ends: NDArray[np.int64], limit: int) -> Iterator[tuple[int, int]]:
    """Yield token ranges (first, following) with about `limit` moves each, at least one token; `ends` is the
    running sum."""
    first = 0
    while first < len(ends):
        done = int(ends[first - 1]) if first else 0
        following = max(first + 1, int(np.searchsorted(ends, done + limit, side="right")))
        yield first, following
        first = following
