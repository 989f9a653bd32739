"""The steps of a run that passed before its map could be drawn: the first matrix, and some later ones.

A map begins with the first matrix, rebuilt from the record, so that it shows the state before learning. At most
`MAX_STEPS` of the steps since are drawn, in order, before the newest. They are evenly spaced: rows move about equally
far in each step, so each frame moves about equally far.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from lamplighter.runfolder.reading.matrix_follower import MatrixFollower
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader

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
        """Begin before the first matrix.

        Args:
            run: the run.
            seconds: the maximum delay of the newest step, from the second call of `next_matrix` on: the first layout
                takes equally long for any matrix.
            clock: returns seconds.
        """
        self._matrix = MatrixFollower(run)
        self._seconds, self._clock = seconds, clock
        self._steps: list[int] | None = None
        """The steps left; None before the first layout."""
        self._until = self._called = 0.0

    def next_matrix(self, reader: StepsReader, newest: int) -> MatrixFollower | None:
        """Return the next matrix to draw, or None once it is the newest's turn.

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
        # Draw another only if it will be ready in time, assuming that it takes as long as the last.
        while self._steps and now + expected <= self._until:
            if self._matrix.advance(reader, to=self._steps.pop(0)):
                return self._matrix
        return None


def spaced_steps(first: int, newest: int) -> list[int]:
    """Return at most `MAX_STEPS` evenly spaced steps after `first`, ending with `newest`."""
    return np.unique(np.linspace(first, newest, MAX_STEPS + 1).round().astype(int))[1:].tolist()
