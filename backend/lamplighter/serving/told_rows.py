"""The rows that a tail tells its viewers: the whole matrix to begin with, then what moves."""

from __future__ import annotations

import numpy as np

from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.history import History
from lamplighter.runfolder.steps import StepsReader
from lamplighter.serving.slot import Message, What
from lamplighter.wire.frames import Rows, encode, step_of

_BATCH = 128


class ToldRows:
    """Which matrix the viewers of one run have, and what they lack."""

    def __init__(self, run: RunFolder) -> None:
        """Nobody has one yet."""
        self._run = run
        self.wanted = False
        """Somebody wants rows."""
        self._step = -1
        """Of the matrix that viewers have."""
        self._lost = False
        """What moved after it is missing."""
        self._passed = False
        """It was missing when the tail was behind."""

    def begin(self, messages: list[Message], at: int) -> None:
        """Viewers have the matrix that is among `messages`, or else that of step `at`."""
        of = (m.data for m in messages if m.what is What.MATRIX and isinstance(m.data, bytes))
        self._step, self._lost = next((step_of(data)[1] for data in of), at), False

    def look(self, reader: StepsReader, step: int, messages: list[Message], *, behind: bool) -> None:
        """Add what to tell up to `step`; `behind`: there are later steps already."""
        if not self.wanted or step < 0:
            self._step, self._lost = step, False
            return
        if not self._lost:
            self._move(reader, step, messages)
            self._lost = self._step < step
            self._passed = self._lost and behind
        if not self._lost or behind:
            return
        if self._passed:
            # It may be in the tiles by now, where a matrix is had whole: one, once the tail has caught up.
            self._take(matrix_message(self._run, step), messages)
            self._passed = False
            return
        # Where moved rows are not kept, the keyframes are what there is.
        keyframe = reader.keyframe_step(step)
        if keyframe is not None and keyframe > self._step:
            self._take(matrix_message(self._run, keyframe), messages)

    def _move(self, reader: StepsReader, step: int, messages: list[Message]) -> None:
        """Add what moved, as far as no step is missing."""
        while moved := reader.rows(self._step + 1, step, limit=_BATCH):
            for at, data in moved:
                if at != self._step + 1:
                    return
                messages.append(Message(What.ROWS, data, step_of(data)[0]))
                self._step = at

    def _take(self, matrix: Message, messages: list[Message]) -> None:
        before = self._step
        self.begin([matrix], before)
        if self._step > before:
            # What moved since, if that is kept, comes with the next look.
            messages.append(matrix)
        else:
            self._step, self._lost = before, True


def matrix_message(run: RunFolder, at: int) -> Message:
    """The whole matrix at a step, or of the newest before it that was kept."""
    with History(run) as history:
        found = history.snapshot(at, nearest=True)
    size = len(found.vectors)
    ids = np.arange(size, dtype=np.uint32)
    rows = Rows(found.attempt, found.step, found.time, size, ids, found.vectors)
    return Message(What.MATRIX, encode(rows), found.attempt)
