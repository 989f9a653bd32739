"""Steps that wait in memory while the disk cannot be written, so that the loop does not wait."""

from __future__ import annotations

import logging
from collections import deque

from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter

log = logging.getLogger(__name__)

WAITING_STEPS, WAITING_BYTES = 10_000, 64_000_000
"""Limits on the waiting steps; beyond them the record ends."""


class WaitingSteps:
    """The waiting steps of one record, oldest first, each without its matrix."""

    def __init__(self, writer: StepsWriter) -> None:
        self._writer = writer
        self._records: deque[StepRecord] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._records)

    @property
    def are_too_many(self) -> bool:
        return len(self._records) > WAITING_STEPS or self._bytes > WAITING_BYTES

    def queue_step(self, record: StepRecord, why: str) -> None:
        """Add the newest step. For the first one, log why it waits."""
        if not self._records:
            log.warning("%s: recorded steps wait in memory until they can be written", why)
        self._records.append(record)
        self._bytes += _size(record)

    def commit_all(self) -> None:
        """Commit the steps in order. Raises apsw.Error (`NOT_NOW`) for one that still cannot be written."""
        while self._records:
            self._writer.commit(self._records[0])
            self._bytes -= _size(self._records.popleft())

    def give_up(self) -> int:
        """Discard the steps. Return the last step before the first of them."""
        last = self._records[0].step - 1
        self._records.clear()
        self._bytes = 0
        return last


def _size(record: StepRecord) -> int:
    return len(record.pulse) + len(record.kept_rows or b"")
