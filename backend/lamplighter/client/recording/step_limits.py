"""The limits on the steps of a record: the disk budget, and the memory while the disk cannot be written."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np

from lamplighter.contract.sentences import say
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import PAGE_SIZE, StepRecord, StepsWriter
from lamplighter.runfolder.writing.disk_budget import DiskBudget
from lamplighter.runfolder.writing.free_space import NOT_NOW
from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.pulse_frames import StepEffects

log = logging.getLogger(__name__)

_SNAPSHOT_SHARE, _NORMS_SHARE = 0.7, 0.85
"""Used shares of the disk budget at which snapshots end, and at which the norms of rows end."""
_STEP_BYTES = 4 * PAGE_SIZE
"""Bytes of a commit besides its arrays, or of an event: whole pages go into the write-ahead log."""
NO_IDS: UInts = np.empty(0, dtype=np.uint32)
NO_NORMS: Floats = np.empty(0, dtype=np.float32)


class StepLimits:
    """The limits of a run's disk budget on the data of a recorded step; `DiskBudget` decides about snapshots."""

    def __init__(self, run: RunFolder, writer: StepsWriter, keyframe: int) -> None:
        self._writer = writer
        self.without_norms = False
        """Whether only loss and batch of a step are kept any more."""
        self._megabytes = run.recipe.disk_budget / 1e6
        # The last matrix is always kept: within the budget if it has room for two, else beyond it.
        reserve = keyframe + _STEP_BYTES if 2 * keyframe < run.recipe.disk_budget else 0
        self.budget = DiskBudget(run, writer, reserve=reserve, share=_SNAPSHOT_SHARE)

    @property
    def reached(self) -> str:
        return f"the disk budget of {self._megabytes:,.0f} MB is used"

    def limit_effects(
        self, effects: StepEffects, kept: int, add_event: Callable[[str, str], None]
    ) -> StepEffects | None:
        """Return the part of a step that fits; None if nothing fits. `kept`: the bytes of the rows that are
        kept of every step."""
        # Committed data is temporarily in both the write-ahead log and the file.
        needed = _STEP_BYTES + 16 * len(effects.batch_ids)
        with_norms = 16 * (len(effects.gradient_ids) + len(effects.moved_ids)) + 2 * kept + needed
        with_norms += round((1 - _NORMS_SHARE) * self.budget.limit)
        if not self.without_norms and self.budget.bytes_left(with_norms) < with_norms:
            self.without_norms = True
            add_event("thinned", say("budget_scalars", megabytes=self._megabytes))
        while self.budget.bytes_left(needed) < needed:
            if not self._drop_keyframe():
                return None
        if not self.without_norms:
            return effects
        # No gradient and an unverified set of moved rows mean that neither is known.
        return replace(
            effects,
            gradient_ids=NO_IDS,
            gradient_norms=NO_NORMS,
            moved_ids=NO_IDS,
            moved_distances=NO_NORMS,
            layer_norms=np.full_like(effects.layer_norms, np.nan),
            verified=False,
        )

    def _drop_keyframe(self) -> bool:
        # Loss and batch of a step are more valuable than the matrix of another.
        with suppress(*NOT_NOW):
            return self._writer.drop_surplus_keyframe()
        return False


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
