"""The row feed of a run: first the whole matrix, then the rows that moved."""

from __future__ import annotations

from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live.message import MessageKind, ViewerMessage
from lamplighter.wire.frames import read_step

_BATCH = 128


class RowFeed:
    """The row feed of one run, with a cursor on the matrix that its viewers have."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self.wanted = False
        """True once a viewer wants rows."""
        self._step = -1
        """The step of the matrix that viewers have."""
        self._incomplete = False
        """True while some rows that moved after that step are missing."""
        self._fell_behind = False
        """True if they went missing while the follower lagged."""

    def restart(self, messages: list[ViewerMessage], step: int) -> None:
        """Start from the matrix among `messages`, or else from that of `step`."""
        matrices = (m.data for m in messages if m.kind is MessageKind.MATRIX and isinstance(m.data, bytes))
        self._step, self._incomplete = next((read_step(data)[1] for data in matrices), step), False

    def read_new(
        self, reader: StepsReader, step: int, messages: list[ViewerMessage], *, behind: bool
    ) -> None:
        """Append the messages up to `step`. `behind`: later steps already exist."""
        if not self.wanted or step < 0:
            self._step, self._incomplete = step, False
            return
        if not self._incomplete:
            self._append_moved(reader, step, messages)
            self._incomplete = self._step < step
            self._fell_behind = self._incomplete and behind
        if not self._incomplete or behind:
            return
        if self._fell_behind:
            # The rows may be in the tiles by now, which give a whole matrix: send one, once the follower has
            # caught up.
            self._restart_from(matrix_message(self._run, step), messages)
            self._fell_behind = False
            return
        # If moved rows are not kept, there are only keyframes.
        keyframe = reader.keyframe_step(step)
        if keyframe is not None and keyframe > self._step:
            self._restart_from(matrix_message(self._run, keyframe), messages)

    def _append_moved(self, reader: StepsReader, step: int, messages: list[ViewerMessage]) -> None:
        while rows := reader.rows(self._step + 1, step, limit=_BATCH):
            for row_step, data in rows:
                if row_step != self._step + 1:
                    return
                messages.append(ViewerMessage(MessageKind.ROWS, data, read_step(data)[0]))
                self._step = row_step

    def _restart_from(self, matrix: ViewerMessage, messages: list[ViewerMessage]) -> None:
        before = self._step
        self.restart([matrix], before)
        if self._step > before:
            # Rows that moved later, if they were kept, come with the next poll.
            messages.append(matrix)
        else:
            self._step, self._incomplete = before, True


def matrix_message(run: RunFolder, step: int) -> ViewerMessage:
    """Return the whole matrix at a step, or at the newest kept step before it."""
    with MatrixHistory(run) as history:
        snapshot = history.snapshot(step, nearest=True)
    return ViewerMessage(MessageKind.MATRIX, snapshot.encode_frame(), snapshot.attempt)
