"""The row feed of a run: the whole matrix to begin with, then the rows that moved."""

from __future__ import annotations

import numpy as np

from lamplighter.runfolder.reading.matrix_history import History
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsReader
from lamplighter.serving.live.send_queue import Message, What
from lamplighter.wire.frames import Rows, encode, step_of

_BATCH = 128


class ToldRows:
    """The row feed of one run, with a cursor on the matrix that its viewers have."""

    def __init__(self, run: RunFolder) -> None:
        """Start before any viewer has a matrix."""
        self._run = run
        self.wanted = False
        """True once a viewer wants rows."""
        self._step = -1
        """The step of the matrix that viewers have."""
        self._lost = False
        """True while rows that moved after it are missing."""
        self._passed = False
        """True if they went missing while the follower was behind."""

    def begin(self, messages: list[Message], at: int) -> None:
        """Start from the matrix among `messages`, or else from that of the given step."""
        of = (m.data for m in messages if m.what is What.MATRIX and isinstance(m.data, bytes))
        self._step, self._lost = next((step_of(data)[1] for data in of), at), False

    def look(self, reader: StepsReader, step: int, messages: list[Message], *, behind: bool) -> None:
        """Append the messages up to `step`. `behind`: later steps exist already."""
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
            # The rows may be in the tiles by now, which give a whole matrix: send one, once the follower has
            # caught up.
            self._take(matrix_message(self._run, step), messages)
            self._passed = False
            return
        # If moved rows are not kept, there are only keyframes.
        keyframe = reader.keyframe_step(step)
        if keyframe is not None and keyframe > self._step:
            self._take(matrix_message(self._run, keyframe), messages)

    def _move(self, reader: StepsReader, step: int, messages: list[Message]) -> None:
        """Append the moved rows up to the first missing step."""
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
            # Rows that moved since, if they were kept, come with the next poll.
            messages.append(matrix)
        else:
            self._step, self._lost = before, True


def matrix_message(run: RunFolder, at: int) -> Message:
    """Return the whole matrix at a step, or at the newest kept step before it."""
    with History(run) as history:
        found = history.snapshot(at, nearest=True)
    size = len(found.vectors)
    ids = np.arange(size, dtype=np.uint32)
    rows = Rows(found.attempt, found.step, found.time, size, ids, found.vectors)
    return Message(What.MATRIX, encode(rows), found.attempt)
