"""The lines feed of a run: the lines that the model says during training, as they come.

The run follower reads it when the steps file has changed. A viewer fetches earlier lines by REST.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.lines import decode_lines
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live.message import MessageKind, ViewerMessage
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import LinesMessage

log = logging.getLogger(__name__)

_BATCH = 32
"""Steps whose lines are sent at once: more than the trainer can add between two polls."""
_NEW_RUN = 1_000
"""A run with fewer steps at its first read counts as new, and viewers who waited get all its lines."""


class LinesFeed:
    """The lines feed of one run. For the run follower's thread only."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._step: int | None = None
        """The newest step whose lines were sent or skipped; None before the first read."""

    def go_back(self, step: int) -> None:
        if self._step is not None:
            self._step = min(self._step, step)

    def read_lines(self, reader: StepsReader, lineage: Lineage, newest: int) -> Iterator[ViewerMessage]:
        """Yield the new messages of the steps up to `newest`, advancing the cursor past each."""
        if newest < 0 or reader.lineage() != lineage:
            # Nothing was sent, or a new attempt has just begun: the next poll starts with it.
            return
        if self._step is None:
            self._step = -1 if newest < _NEW_RUN else newest
        for step, text in reader.lines(self._step + 1, newest, _BATCH).items():
            self._step = step
            try:
                lines = decode_lines(text, len(self._run.vocabulary))
            except FormatError as error:
                # A run whose steps can be read is shown even without its lines.
                log.warning("%s is shown without the lines of step %d: %s", self._run.id, step, error)
                continue
            message = LinesMessage(step=step, attempt=lineage.attempt_at(step), lines=lines)
            yield ViewerMessage(MessageKind.LINES, to_json_text(message))
