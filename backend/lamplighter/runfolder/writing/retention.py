"""The retention policy: how much of each step is kept, given the disk budget and the free space."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.runfolder.writing.byte_budget import DiskBudget
from lamplighter.runfolder.writing.free_space import NO_ROOM, DiskRoom

PAUSED = "paused"
"""Value of a run's `snapshots` while the disk is full; they resume when there is space."""


class Keeping:
    """The retention policy of a run: decides what is kept of a step, and commits it.

    A change of what is kept is recorded as an event of the step at which it takes effect.
    """

    def __init__(self, run: RunFolder, writer: StepsWriter, facts: dict[str, Any] | None = None) -> None:
        """Resume from the run's `facts`."""
        facts = facts or {}
        self._writer = writer
        self._budget = DiskBudget(run, writer)
        left = facts.get("snapshots", "all")
        self._room = DiskRoom(run.path, paused=left == PAUSED)
        # Older runs, from before snapshots could pause, have one fact for both.
        self._budget.snapshots = facts.get("budget_left", "all" if left == PAUSED else left)
        self._unsaid: list[tuple[str, str]] = []
        self._whole_next = False

    @property
    def snapshots(self) -> str:
        """Return which snapshots are kept: `all`, `keyframes`, `none` or `paused`."""
        allowed = self._budget.snapshots
        return PAUSED if self._room.paused and allowed != "none" else allowed

    @property
    def rows(self) -> bool:
        """Return whether the moved rows of the current step are kept."""
        return self.snapshots == "all"

    @property
    def keyframes(self) -> bool:
        """Return whether a keyframe of the current step may be kept."""
        return self.snapshots in ("all", "keyframes")

    @property
    def whole(self) -> bool:
        """Return whether the current step needs a keyframe, since the snapshots before it were not kept."""
        return self._whole_next and self.keyframes

    def look(self, step: int) -> None:
        """Update what may be kept of `step`, which becomes the current one. Cheap; call once per step."""
        if (said := self._budget.look(step)) is not None:
            self._unsaid.append(("thinned", said))
        was = self._room.paused
        said = self._room.look()
        self._whole_next = self._whole_next or was
        if said is not None:
            self._note("full" if self._room.paused else "room", said)

    def commit(self, record: StepRecord) -> bool:
        """Commit a step; drop its snapshots if they do not fit on the disk.

        Returns:
            Whether the whole record was kept.

        Raises:
            apsw.FullError, apsw.IOError: (`DISK_FULL_ERRORS`) not even the scalars fit. Nothing is committed.
        """
        try:
            self._write(record)
        except NO_ROOM as error:
            self._pause(str(error))
            if record.rows is None and record.keyframe is None:
                raise
            self._write(replace(record, rows=None, keyframe=None, census=None))
            return False
        if record.keyframe is not None:
            self._whole_next = False
            self._room.fits()
        return True

    def _pause(self, why: str) -> None:
        was, said = self._room.paused, self._room.pause(why)
        self._whole_next = True
        if self._unsaid and self._unsaid[-1][0] == "room":
            self._unsaid.pop()  # There was free space, yet the write failed: a quota, for example.
        elif not was:
            self._note("full", said)

    def _note(self, kind: str, message: str) -> None:
        # If the budget keeps no snapshots anyway, none can pause.
        if self._budget.snapshots != "none":
            self._unsaid.append((kind, message))

    def _write(self, record: StepRecord) -> None:
        if not self._unsaid:
            # The usual case. A nested transaction would double the cost.
            self._writer.commit(record)
            return
        with self._writer.together():
            self._writer.commit(record)
            for kind, message in self._unsaid:
                facts = {"snapshots": self.snapshots, "budget_left": self._budget.snapshots}
                self._writer.add_event(record.step, kind, message, facts)
        self._unsaid.clear()
