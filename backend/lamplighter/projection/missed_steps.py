"""The steps of a run that passed before its map could be drawn: the first matrix, and some of those after it.

A map begins with the first matrix, rebuilt from the record, so that it shows what was there before anything was learned.
Of the steps that passed meanwhile, at most `MAX_STEPS` are drawn, in order, before the newest. They are spaced evenly: a
row moves about as far in a step now as in one a little later, so each frame then has about as much to follow.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from lamplighter.runfolder.reading.matrix_follower import MatrixFollower
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader

MAX_STEPS = 20
"""Most steps drawn after the first matrix and before the newest."""
MAX_SECONDS = 10.0
"""Longest time after the first layout for which they hold back the newest."""


class MissedSteps:
    """The missed steps of one run, whose matrices are rebuilt one after another. Each is to be drawn at once."""

    def __init__(
        self,
        run: RunFolder,
        *,
        seconds: float = MAX_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin before the first matrix.

        Args:
            run: the run.
            seconds: the longest time for which the newest step is held back. It counts from the second call of
                `next_matrix` on, because the first layout takes as long of whichever matrix it is.
            clock: returns seconds.
        """
        self._matrix = MatrixFollower(run)
        self._seconds, self._clock = seconds, clock
        self._steps: list[int] | None = None
        """The steps left; None before the first layout."""
        self._until = self._called = 0.0

    def next_matrix(self, reader: StepsReader, newest: int) -> MatrixFollower | None:
        """Return the matrix to be drawn next, or None once it is the newest's turn.

        Args:
            reader: the reader of the run's steps.
            newest: the newest step whose matrix can be rebuilt.

        Returns:
            The matrix, which changes in place with the next call.
        """
        if self._matrix.step < 0:
            first = reader.keyframe_step_after(-1)
            found = first is not None and self._matrix.advance(reader, to=first)
            return self._matrix if found else None
        now = self._clock()
        if self._steps is None:
            self._steps = spaced_steps(self._matrix.step, newest)
            self._until, self._called = now + self._seconds, now
        expected, self._called = now - self._called, now
        # Another is drawn only if it is ready in time, provided that it takes as long as the one before.
        while self._steps and now + expected <= self._until:
            if self._matrix.advance(reader, to=self._steps.pop(0)):
                return self._matrix
        return None


def spaced_steps(first: int, newest: int) -> list[int]:
    """Return at most `MAX_STEPS` steps after `first`, evenly spaced, the last of which is `newest`."""
    return np.unique(np.linspace(first, newest, MAX_STEPS + 1).round().astype(int))[1:].tolist()
