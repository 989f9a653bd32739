"""The projector's main loop: it follows a run with layouts, from its first matrix to its last.

This module decides which frame is due and when to stop; `projector.py` draws the frames.

A map begins with the first matrix, rebuilt from the record, so that it shows the state before learning. At most
`MAX_STEPS` of the steps since are drawn, in order, before the newest. They are evenly spaced: rows move about equally
far in each step, so each frame moves about equally far.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from lamplighter.corpora.modular import number_ids
from lamplighter.platform.child_process import yield_processor
from lamplighter.processes.follow_loop import CpuShare, FollowLoop
from lamplighter.projection.projector import Projector
from lamplighter.projection.warm_up import WarmUp
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixFollower, MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.runfolder.tables.requests import PROJECTOR_KINDS, RequestsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.row_source import RowSource

MAX_STEPS = 20
"""Maximum steps drawn after the first matrix and before the newest."""
MAX_SECONDS = 10.0
"""Maximum time after the first layout for which they delay the newest."""


class MissedSteps:
    """The missed steps of one run, whose matrices are rebuilt one after another. Draw each before the next call."""

    def __init__(
        self,
        run: RunFolder,
        *,
        seconds: float = MAX_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin before the first matrix. `seconds`: the maximum delay of the newest step, from the second
        call of `next_matrix` on: the first layout takes equally long for any matrix.
        """
        self._matrix = MatrixFollower(run)
        self._seconds, self._clock = seconds, clock
        self._steps: list[int] | None = None
        """The steps left; None before the first layout."""
        self._until = self._called = 0.0

    def next_matrix(self, reader: StepsReader, newest: int) -> MatrixFollower | None:
        """Return the next matrix, which changes in place with the next call; None if the newest is next."""
        if self._matrix.step < 0:
            first = reader.keyframe_step_after(-1)
            found = first is not None and self._matrix.advance(reader, to=first)
            return self._matrix if found else None
        now = self._clock()
        if self._steps is None:
            self._steps = spaced_steps(self._matrix.step, newest)
            self._until, self._called = now + self._seconds, now
        expected, self._called = now - self._called, now
        # Draw another only if it will be ready in time, assuming that it takes as long as the last.
        while self._steps and now + expected <= self._until:
            if self._matrix.advance(reader, to=self._steps.pop(0)):
                return self._matrix
        return None


def spaced_steps(first: int, newest: int) -> list[int]:
    """Return at most `MAX_STEPS` evenly spaced steps after `first`, ending with `newest`."""
    return np.unique(np.linspace(first, newest, MAX_STEPS + 1).round().astype(int))[1:].tolist()


POLL = 0.02
"""Seconds between two polls of the run, which take microseconds each."""
SHARE = 0.6
"""Maximum share of one core while the run is trained. It is measured in CPU time: by wall-clock time the projector
would rest twice as long on a busy machine."""
REST_SECONDS = (0.02, 1.0)
"""Minimum and maximum seconds of rest between two frames."""
LOWERED_BY = 5
"""Steps of niceness below the trainer's priority, once there is a map."""
LAYOUTS_SHARE = 0.1
"""Share of the run's disk budget for layouts. Beyond it old layouts are thinned out."""


class ProjectorProcess:
    """A loop that lays out one run until it ends."""

    def __init__(self, run: RunFolder, *, once: bool = False) -> None:
        self._run = run
        self._once = once
        self._loop = FollowLoop(run, "the projector", POLL)
        self._share = CpuShare(SHARE, clock=time.thread_time, rest_seconds=REST_SECONDS)
        self._follower = MatrixFollower(run)
        self._reader: StepsReader | None = None
        self._requests = RequestsReader(run.path)
        self._warm: WarmUp | None = None
        self._made_way = False
        self._missed: MissedSteps | None = None
        """The steps to draw before the newest; None once they are drawn."""

    def stop(self) -> None:
        self._loop.stop()

    @property
    def is_warming_up(self) -> bool:
        return self._warm is not None and self._warm.is_at_work

    def run(self) -> None:
        """Follow the run to its end. While the disk is full, retry from the last stored layout."""
        self._loop.run_to_end(self._run_once)

    def _run_once(self) -> None:
        reader = self._open()
        if reader is None:
            return
        over = False
        self._reader = reader
        try:
            writer = LayoutsWriter(self._run.layouts_path)
            try:
                over = self._project_until_over(reader, writer)
            finally:
                self._close_reader()
                writer.close(sealed=over)
        finally:
            self._close_reader()

    def _close_reader(self) -> None:
        """Close the reader of the steps: the trainer can seal its file only while it has no readers."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _open(self) -> StepsReader | None:
        """Wait for the first matrix and return the reader of the steps, or None if stopped first."""
        if self._run.layouts_path.exists():
            self._make_way()
        elif not self._once:
            # Import while the trainer prepares the first matrix. The trainer waits for the first map, so keep its
            # priority.
            recipe = self._run.recipe
            self._warm = self._warm or WarmUp(recipe.map, recipe.corpus.vocabulary_size)
        while not self._loop.stopped and not self._loop.abandoned():
            reader = self._loop.open_steps()
            if reader is not None:
                self._follower.advance(reader)
                if self._follower.step >= 0:
                    return reader
                over = reader.phase().has_ended
                reader.close()
                if over:
                    return None
            if self._once:
                return None
            self._loop.wait()
        return None

    def _project_until_over(self, reader: StepsReader, writer: LayoutsWriter) -> bool:
        """Make layouts until the run is over (True) or it is time to stop (False)."""
        follower = self._follower
        size = len(follower.vectors)
        with LayoutsReader(self._run.layouts_path) as earlier:
            projector = Projector(
                writer,
                earlier,
                size,
                self._run.recipe.map,
                self._run.vocabulary,
                self._run.landmarks,
                number_ids(self._run.recipe.corpus, size),
            )
            self._requests = RequestsReader(self._run.path)
            self._requests.skip_applied(earlier.last_applied())
        if projector.last_drawn is not None:
            projector.set_previous_space(_read_matrix(self._run, *projector.last_drawn))
        elif not self._once:
            self._missed = MissedSteps(self._run)
        keep = max(200, int(LAYOUTS_SHARE * self._run.recipe.disk_budget / (6 * size + 500)))
        over, version, frames = False, -1, 0
        self._share.wake()
        while not self._loop.stopped and not over:
            seen = reader.version()
            if seen != version:
                version = seen
                over = reader.phase().has_ended
                follower.advance(reader)
            if over or self._once:
                break
            if self._loop.abandoned():
                return False
            if self._apply_requests(projector):
                self._share.wake()
            self._warm_up(projector, frames)
            matrix = None if self._share.resting else self._due_matrix(projector, reader)
            if matrix is None:
                self._loop.wait()
                continue
            start = self._share.start_work()
            self._close_reader()  # a frame may take long, and the run may end in that time
            draw = projector.project_step if matrix is follower else projector.draw_missed
            draw(matrix.vectors, matrix.attempt, matrix.step)
            frames += 1
            if frames % 50 == 0:
                writer.thin_layouts(keep)
                writer.thin_districts(max(50, keep // 4))
            self._share.rest_since(start, share=None if self._loop.trained else 1.0)
            opened = self._loop.open_steps()
            if opened is None:
                return False  # the run was moved away
            self._reader, reader, version = opened, opened, -1
        self._close_reader()
        if self._loop.stopped or not self._finish(projector):
            return False
        return over

    def _warm_up(self, projector: Projector, frames: int) -> None:
        """Start the map once it is warm; `frames`: the number of frames drawn by this process."""
        if self._warm is None and frames:
            # When a map is continued, draw the linear view first, undisturbed.
            self._warm = WarmUp(projector.map_recipe, len(self._follower.vectors))
        elif self._warm is not None and not projector.map_started:
            projector.note_warm_up(self._warm.share)
            if self._warm.done:
                self._start_map(projector)
        elif projector.last_drawn is not None:
            self._make_way()
            if self._warm is not None:
                self._warm.import_districts()

    def _make_way(self) -> None:
        """Lower the priority of this thread and of those it starts, once: training comes first."""
        if not self._made_way and not self._once:
            self._made_way = True
            yield_processor(LOWERED_BY)

    def _due_matrix(self, projector: Projector, reader: StepsReader) -> MatrixFollower | None:
        """Return the next matrix to draw; None if a frame would show nothing new."""
        if self._missed is not None and projector.map_started:
            missed = self._missed.next_matrix(reader, self._follower.step)
            if missed is not None:
                return missed
            self._missed = None
        newest = self._follower
        return newest if projector.needs_frame(newest.attempt, newest.step) else None

    def _draw_missed(self, projector: Projector) -> None:
        """Draw the missed steps of a finished run, unless stopped."""
        while self._missed is not None and not self._loop.stopped:
            reader = self._loop.open_steps()
            if reader is None:
                return
            with reader:
                matrix = self._missed.next_matrix(reader, self._follower.step)
            if matrix is None or (matrix.attempt, matrix.step) == (
                self._follower.attempt,
                self._follower.step,
            ):
                self._missed = None
            else:
                projector.draw_missed(matrix.vectors, matrix.attempt, matrix.step, over=True)

    def _finish(self, projector: Projector) -> bool:
        """Draw the layouts of the last step until the map rests. Return False if stopped before."""
        vectors, attempt, step = self._follower.vectors, self._follower.attempt, self._follower.step
        self._apply_requests(projector)
        if projector.is_complete(attempt, step):
            return True
        if projector.map_started:
            self._draw_missed(projector)
        if not projector.project_step(vectors, attempt, step, over=True):
            return True
        self._warm = self._warm or WarmUp(projector.map_recipe, len(self._follower.vectors))
        while not self._warm.done:
            if self._loop.stopped:
                return False
            self._loop.wait()
        self._start_map(projector)
        self._draw_missed(projector)
        while projector.needs_frame(attempt, step):
            if self._loop.stopped:
                return False
            projector.project_step(vectors, attempt, step, over=True)
            self._apply_requests(projector)
        return True

    def _apply_requests(self, projector: Projector) -> bool:
        """Apply the map requests since the last poll. Return whether there were any."""
        requests = [request for request in self._requests.read_new() if request.kind in PROJECTOR_KINDS]
        for request in requests:
            projector.apply_request(request, self._follower.attempt, self._follower.step)
        return bool(requests)

    def _start_map(self, projector: Projector) -> None:
        if projector.map_started:
            return
        if self._warm is not None and self._warm.error is not None:
            raise self._warm.error
        projector.start_map()


def _read_matrix(run: RunFolder, attempt: int, step: int) -> RowSource | None:
    """Read the matrix of a step of an attempt, shape (V, D); None if it cannot be rebuilt."""
    try:
        with MatrixHistory(run) as history:
            if history.steps.lineage().counts(attempt, step):
                return history.open_snapshot(step).vectors
            return None
    except NoSnapshotError:
        return None
