"""The analyst's main loop: it follows a run and computes measures at keyframes and at the end, and tiles of
moved rows.

The analyst has the lowest priority for the processor. It rests after each set of measures in proportion to
its cost, and when it falls behind it takes the newest keyframe and skips the others.
"""

from __future__ import annotations

import time

from lamplighter.analysis.measures import measure
from lamplighter.analysis.tile_builder import TileBuilder
from lamplighter.runfolder.reading.matrix_follower import MatrixFollower
from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.role_lock import is_held
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.measures import MeasuresReader, MeasuresWriter
from lamplighter.runfolder.tables.steps import StepsReader
from lamplighter.runfolder.writing.finalise import compact_run
from lamplighter.runfolder.writing.free_space import retry_while_full

POLL = 0.1
"""Seconds between two polls of the run."""
SHARE = 0.12
"""Share of one core used while the run is trained."""
PATIENCE = 60.0
"""Seconds without a trainer after which the analyst stops; it is started again with the trainer."""


class Analyst:
    """A loop that analyses one run until it ends."""

    def __init__(self, run: RunFolder, *, share: float = SHARE) -> None:
        self._run = run
        self._share = share
        self._follower = MatrixFollower(run)
        self._tiler = TileBuilder(run, share)
        self._stop = False
        self._checked_at = 0.0
        self._last_alive = time.monotonic()

    def stop(self) -> None:
        """Stop after the current measures."""
        self._stop = True

    def run(self) -> None:
        """Follow the run to its end. While the disk is full, retry from the last stored measures, as after a
        crash.

        Raises:
            FormatError: this version cannot read the folder.
        """
        retry_while_full(self._run_once, lambda: self._stop, "the analyst")

    def _run_once(self) -> None:
        reader = None
        while reader is None:
            if self._stop or self._abandoned():
                return
            reader = self._open()
            if reader is None:
                time.sleep(POLL)
        tiled = False
        try:
            over = self._measure_until_over(reader)
            tiled = over and self._tiler.build_rest(lambda: self._stop)
        finally:
            self._tiler.close(sealed=tiled)
        if tiled:
            compact_run(self._run)

    def _open(self) -> StepsReader | None:
        try:
            return StepsReader(self._run.steps_path)
        except FileNotFoundError:
            return None

    def _measure_until_over(self, reader: StepsReader | None) -> bool:
        """Measure and tile until the run is over (True) or it is time to stop (False)."""
        # The trainer can seal its file only while it has no readers, so the reader is closed whenever it is
        # not in use: while measures are computed and while the analyst rests.
        over = False
        with MeasuresWriter(self._run.measures_path) as writer:
            try:
                done = _last_measured(self._run)
                version, due = -1, 0.0
                while not self._stop and not over and not self._abandoned():
                    self._tiler.build_if_due()
                    if time.monotonic() < due:
                        time.sleep(POLL)
                        continue
                    if reader is None:
                        reader, version = self._open(), -1
                    now = version if reader is None else reader.version()
                    if reader is None or now == version:
                        time.sleep(POLL)
                        continue
                    version = now
                    over = reader.phase().has_ended
                    attempt, last = reader.newest_step()
                    step = last if over else reader.keyframe_step(last)
                    if attempt == 0 or step is None:
                        continue
                    start = time.monotonic()
                    self._follower.advance(reader, to=step)
                    measured = self._follower.attempt, self._follower.step
                    census = (
                        read_touches(reader, measured[1]) if measured[1] >= 0 and measured != done else None
                    )
                    if over or census is not None:
                        reader.close()
                        reader = None
                    if census is not None:
                        vectors = self._follower.vectors
                        writer.commit(*measured, measure(vectors, self._run.vocabulary, census.touches))
                        done = measured
                        due = start + (time.monotonic() - start) / self._share
            finally:
                if reader is not None:
                    reader.close()
            writer.close(sealed=over)
        return over

    def _abandoned(self) -> bool:
        """Return whether the run has had no trainer for `PATIENCE` seconds. Checks once a second."""
        now = time.monotonic()
        if now - self._checked_at > 1:
            self._checked_at = now
            if is_held(self._run.path, "trainer"):
                self._last_alive = now
        return now - self._last_alive > PATIENCE


def _last_measured(run: RunFolder) -> tuple[int, int]:
    """Return (attempt, step) of the newest measures; (0, -1) for none."""
    with MeasuresReader(run.measures_path) as reader:
        return reader.last_written()
