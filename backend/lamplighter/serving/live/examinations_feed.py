"""The examinations feed of a run: state changes of the questions about its model."""

from __future__ import annotations

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import ExaminationsReader
from lamplighter.serving.live.message import MessageKind, ViewerMessage
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.examinations import describe_examination
from lamplighter.serving.schemas.messages import ExaminationMessage

_MAX_CHANGES = 200
"""Maximum changes sent at once; only the newest of each question counts."""


class ExaminationsFeed:
    """The examinations feed of one run. For the run follower's thread only."""

    def __init__(self, run: RunFolder) -> None:
        """Start before anything has been sent."""
        self._run = run
        self._revision: int | None = None

    def start(self) -> None:
        """Skip the changes so far, which viewers fetch. Idempotent."""
        if self._revision is not None:
            return
        self._revision = 0
        try:
            with ExaminationsReader(self._run.examinations_path) as reader:
                self._revision = reader.newest_revision()
        except READ_ERRORS:
            # The file does not exist yet, or cannot be read now; then everything is sent later.
            return

    def read_changes(self, reader: ExaminationsReader, messages: list[ViewerMessage]) -> None:
        """Append the changes since the last call."""
        for entry in reader.entries(after=self._revision or 0, limit=_MAX_CHANGES):
            self._revision = entry.revision
            message = ExaminationMessage(examination=describe_examination(entry))
            messages.append(ViewerMessage(MessageKind.EXAMINATION, to_json_text(message)))
