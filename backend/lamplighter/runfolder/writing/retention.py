"""The retention policy: how much of each step to keep within the disk budget and the free space."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.runfolder.writing.disk_budget import DiskBudget
from lamplighter.runfolder.writing.free_space import DISK_FULL_ERRORS, FreeSpace

PAUSED = "paused"
"""Value of a run's `snapshots` while the disk is full."""


class Retention:
    """The retention policy of a run: decides what to keep of a step, and commits it.

    Each change is recorded as an event of the step at which it takes effect.
    """

    def __init__(
        self,
        run: RunFolder,
        writer: StepsWriter,
        facts: dict[str, Any] | None = None,
        budget: DiskBudget | None = None,
    ) -> None:
        """Resume from the run's `facts`. Without a `budget`, steps may use the whole budget of the recipe."""
        facts = facts or {}
        self._writer = writer
        self._budget = budget or DiskBudget(run, writer)
        last_state = facts.get("snapshots", "all")
        self._free_space = FreeSpace(run.path, paused=last_state == PAUSED)
        # An imported run has only the fact `snapshots`.
        self._budget.snapshots = facts.get("budget_left", last_state)
        self._pending_events: list[tuple[str, str]] = []
        self._keyframe_due = False

    @property
    def snapshots(self) -> str:
        """Return which snapshots are kept: `all`, `keyframes`, `none` or `paused`."""
        allowed = "keyframes" if self._budget.snapshots == "series" else self._budget.snapshots
        return PAUSED if self._free_space.paused and allowed != "none" else allowed

    @property
    def keeps_rows(self) -> bool:
        """Return whether the moved rows of the current step are kept."""
        return self.snapshots == "all"

    @property
    def keeps_keyframes(self) -> bool:
        """Return whether a keyframe of the current step may be kept."""
        return self.snapshots in ("all", "keyframes") and self._budget.has_room

    @property
    def replaced_keyframe(self) -> int | None:
        """Return the row of the keyframe that the current step's replaces; None if there is room for both."""
        return self._budget.replaced_keyframe

    @property
    def needs_keyframe(self) -> bool:
        """Return whether the current step needs a keyframe because earlier snapshots were not kept."""
        return self._keyframe_due and self.keeps_keyframes

    def refresh(self, step: int, rows: int, keyframe: int, *, due: bool) -> None:
        """Update the policy for `step`, which becomes the current one. Cheap; call once per step.

        Args:
            rows: the bytes of its moved rows; 0 if it has none.
            keyframe: the bytes of a keyframe.
            due: whether the step is due to have one.
        """
        was_paused = self._free_space.paused
        message = self._free_space.refresh()
        self._keyframe_due = self._keyframe_due or was_paused
        thinned = self._budget.refresh(step, rows, keyframe, due=due or self._keyframe_due)
        if thinned is not None:
            self._pending_events.append(("thinned", thinned))
        if message is not None:
            self._add_event("full" if self._free_space.paused else "room", message)

    def commit(self, record: StepRecord) -> bool:
        """Commit a step; drop its snapshots and lines if they do not fit on the disk.

        Returns:
            Whether the whole record was kept.

        Raises:
            apsw.FullError, apsw.IOError: (`DISK_FULL_ERRORS`) not even the scalars fit. Nothing is committed.
        """
        try:
            self._write(record)
        except DISK_FULL_ERRORS as error:
            self._pause(str(error))
            if record.rows is record.keyframe is record.kept_rows is record.lines is None:
                raise
            self._write(replace(record, rows=None, keyframe=None, census=None, kept_rows=None, lines=None))
            return False
        if record.keyframe is not None:
            self._keyframe_due = False
            self._free_space.reset_retry_delay()
        return True

    def _pause(self, why: str) -> None:
        was_paused, message = self._free_space.paused, self._free_space.pause(why)
        self._keyframe_due = True
        if self._pending_events and self._pending_events[-1][0] == "room":
            self._pending_events.pop()  # The write failed despite free space, as with a quota.
        elif not was_paused:
            self._add_event("full", message)

    def add_event(self, kind: str, message: str) -> None:
        """Add an event to the next step that is committed."""
        self._pending_events.append((kind, message))

    def _add_event(self, kind: str, message: str) -> None:
        # Without snapshots in the budget there is nothing to pause.
        if self._budget.snapshots != "none":
            self._pending_events.append((kind, message))

    def _write(self, record: StepRecord) -> None:
        if not self._pending_events:
            # The usual case; a nested transaction would double the cost.
            self._writer.undo_interrupted()
            self._writer.commit(record)
            return
        with self._writer.transaction():
            self._writer.commit(record)
            for kind, message in self._pending_events:
                facts = {"snapshots": self.snapshots, "budget_left": self._budget.snapshots}
                self._writer.add_event(record.step, kind, message, facts)
        self._pending_events.clear()
