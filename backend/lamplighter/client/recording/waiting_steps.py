"""Steps that wait in memory because nothing can be written now: so the loop does not wait."""

from __future__ import annotations

import logging
from collections import deque

from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter

log = logging.getLogger(__name__)

WAITING_STEPS, WAITING_BYTES = 10_000, 64_000_000
"""Limits of the steps that wait; beyond them the record ends."""


class WaitingSteps:
    """The steps of one record that wait, oldest first, each without its matrix."""

    def __init__(self, writer: StepsWriter) -> None:
        self._writer = writer
        self._records: deque[StepRecord] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._records)

    @property
    def are_too_many(self) -> bool:
        """Return whether they are more than may wait."""
        return len(self._records) > WAITING_STEPS or self._bytes > WAITING_BYTES

    def queue_step(self, record: StepRecord, why: str) -> None:
        """Add the newest step; say why it waits if it is the first."""
        if not self._records:
            log.warning("%s: what is recorded waits in memory until it can be written", why)
        self._records.append(record)
        self._bytes += len(record.pulse)

    def commit_all(self) -> None:
        """Commit them, in order.

        Raises:
            apsw.Error: (`NOT_NOW`) they still cannot be written; those that could be wait no longer.
        """
        while self._records:
            self._writer.commit(self._records[0])
            self._bytes -= len(self._records.popleft().pulse)

    def give_up(self) -> int:
        """Forget them. Return the last step before the first of them."""
        last = self._records[0].step - 1
        self._records.clear()
        self._bytes = 0
        return last
