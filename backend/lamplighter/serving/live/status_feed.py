"""The status feed of a run: its status, and which requests were applied.

The status comes from the facts in the steps, and from outside the files: whether a trainer is alive, whether
it waits for disk space, and the size on disk. Those are checked every second.
"""

from __future__ import annotations

import time

from lamplighter.runfolder.reading.current_map import read_smoothed_step
from lamplighter.runfolder.role_lock import RoleState, is_waiting_for_space, role_state
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.requests import AppliedRequest
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live.message import MessageKind, ViewerMessage
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import AcknowledgedMessage, StatusMessage
from lamplighter.serving.schemas.runs import Status

STATUS_POLL_SECONDS = 1.0
"""Seconds between checks outside the files: whether a trainer is alive, and the size on disk."""


class StatusFeed:
    """The status feed of one run. For the run follower's thread only."""

    def __init__(self, run: RunFolder, catalog: RunCatalog) -> None:
        self._run = run
        self._catalog = catalog
        self._status: Status | None = None
        self._facts: object = None
        self._applied_by_trainer = 0
        self._applied_by_projector = 0
        self._check_at = 0.0

    @property
    def run_ended(self) -> bool:
        return self._status is not None and self._status.phase.has_ended

    def start_check(self) -> bool:
        """Return whether a check outside the files is due; if so, schedule the next one."""
        now = time.monotonic()
        if now < self._check_at:
            return False
        self._check_at = now + STATUS_POLL_SECONDS
        return True

    def read_steps(self, reader: StepsReader, messages: list[ViewerMessage]) -> None:
        """Append the requests that the trainer applied, and the status if a fact has changed."""
        for applied in reader.applied(after=self._applied_by_trainer):
            self._applied_by_trainer = applied.id
            messages.append(_acknowledged_message(applied))
        facts = reader.facts()
        if facts != self._facts:
            self.read_status(reader, messages)
            self._facts = facts

    def read_layouts(self, reader: LayoutsReader, messages: list[ViewerMessage]) -> None:
        for applied in reader.applied(after=self._applied_by_projector):
            self._applied_by_projector = applied.id
            messages.append(_acknowledged_message(applied))

    def read_status(self, reader: StepsReader | None, messages: list[ViewerMessage]) -> None:
        """Append the status if it has changed; without a reader, with the last known facts."""
        if reader is not None or self._status is None:
            status = self._catalog.status(self._run, reader)
        else:
            alive = role_state(self._run.path, "trainer") is not RoleState.FREE
            crowded = alive and is_waiting_for_space(self._run.path)
            current = {
                "alive": alive,
                "crowded": crowded,
                "bytes": self._run.bytes_on_disk(),
                "smoothed": read_smoothed_step(self._run),
            }
            status = self._status.model_copy(update=current)
        if status != self._status:
            self._status = status
            messages.append(ViewerMessage(MessageKind.STATUS, to_json_text(StatusMessage(status=status))))


def _acknowledged_message(applied: AppliedRequest) -> ViewerMessage:
    request = f"{applied.server}:{applied.request}"
    return ViewerMessage(
        MessageKind.TEXT,
        to_json_text(AcknowledgedMessage(request=request, kind=applied.kind, step=applied.step)),
    )
