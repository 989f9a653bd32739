"""How much of each step is kept: what the run's disk budget allows and its file system has room for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lamplighter.runfolder.budget import DiskBudget
from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.room import NO_ROOM, DiskRoom
from lamplighter.runfolder.steps import StepRecord, StepsWriter

PAUSED = "paused"
"""Of a run's `snapshots`: the disk is full, they go on when there is room."""


class Keeping:
    """Decides what is kept of a step, and commits it; what is given up or taken up is said with that step."""

    def __init__(self, run: RunFolder, writer: StepsWriter, facts: dict[str, Any] | None = None) -> None:
        """Go on as `facts` (of the run) say it was left."""
        facts = facts or {}
        self._writer = writer
        self._budget = DiskBudget(run, writer)
        left = facts.get("snapshots", "all")
        self._room = DiskRoom(run.path, paused=left == PAUSED)
        # A run from before there was a pause has one word for both.
        self._budget.snapshots = facts.get("budget_left", "all" if left == PAUSED else left)
        self._unsaid: list[tuple[str, str]] = []
        self._whole_next = False

    @property
    def snapshots(self) -> str:
        """What is kept: `all`, `keyframes`, `none`, or `paused`."""
        allowed = self._budget.snapshots
        return PAUSED if self._room.paused and allowed != "none" else allowed

    @property
    def rows(self) -> bool:
        """Whether moved rows are kept of the step looked at last."""
        return self.snapshots == "all"

    @property
    def keyframes(self) -> bool:
        """Whether keyframes are kept of the step looked at last."""
        return self.snapshots in ("all", "keyframes")

    @property
    def whole(self) -> bool:
        """Whether the step looked at last needs a keyframe, since those before it were not kept."""
        return self._whole_next and self.keyframes

    def look(self, step: int) -> None:
        """Look what may be kept of a step. Cheap; call it once for each."""
        if (said := self._budget.look(step)) is not None:
            self._unsaid.append(("thinned", said))
        was = self._room.paused
        said = self._room.look()
        self._whole_next = self._whole_next or was
        if said is not None:
            self._note("full" if self._room.paused else "room", said)

    def commit(self, record: StepRecord) -> bool:
        """Commit a step: without its snapshots when only that fits.

        Returns:
            Whether all of it is kept.

        Raises:
            apsw.FullError, apsw.IOError: (`NO_ROOM`) not even the scalars fit. Nothing is committed.
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
            self._unsaid.pop()  # There was free space, and still it did not fit: a quota, say.
        elif not was:
            self._note("full", said)

    def _note(self, kind: str, message: str) -> None:
        # Where the budget keeps no snapshots anyway, there is nothing to pause.
        if self._budget.snapshots != "none":
            self._unsaid.append((kind, message))

    def _write(self, record: StepRecord) -> None:
        if not self._unsaid:
            # Nearly always: a transaction within another would cost as much again.
            self._writer.commit(record)
            return
        with self._writer.together():
            self._writer.commit(record)
            for kind, message in self._unsaid:
                facts = {"snapshots": self.snapshots, "budget_left": self._budget.snapshots}
                self._writer.add_event(record.step, kind, message, facts)
        self._unsaid.clear()
