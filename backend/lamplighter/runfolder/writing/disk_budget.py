"""The disk budget of a run: near the limit moved rows are no longer kept, then each new keyframe replaces an old one.

Unlike on a full disk (`free_space.py`), this is final: moved rows do not resume.
"""

from __future__ import annotations

from lamplighter.contract.reason import ReasonCode
from lamplighter.contract.sentences import say
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsWriter

_OTHER_FILES_EVERY = 50
_KEYFRAMES_ONLY_AT, _STOP_AT = 0.90, 0.98
_KEYFRAMES_ROOM, _MAX_KEYFRAMES_SHARE = 12, 0.5
"""Number of keyframes that moved rows leave room for, and the maximum share of the budget left for them."""
_SAID: dict[str, ReasonCode] = {
    "keyframes": "budget_keyframes",
    "series": "budget_series",
    "none": "budget_none",
}


class DiskBudget:
    """A monitor of a run's size that decides, before anything is written, which snapshots may be kept."""

    def __init__(self, run: RunFolder, writer: StepsWriter, *, reserve: int = 0, share: float = 1.0) -> None:
        """Watch a run. `reserve`: bytes of the budget for other purposes; `share`: the share of the rest for
        snapshots and existing files.
        """
        self._run, self._writer, self._reserve = run, writer, reserve
        self._other_bytes = self._max_bytes = 0
        self._measured_after = -1
        self.limit = run.recipe.disk_budget - reserve
        """Maximum bytes of the run, without the reserve."""
        self._snapshot_limit = share * self.limit
        self.snapshots = "all"
        """Snapshots to keep: `all`, `keyframes`, `series` (each new keyframe replaces an old one) or `none`."""
        self.replaced_keyframe: int | None = None
        """The row of the keyframe that the current step's replaces."""
        self.has_room = True
        """Whether the keyframe of the current step may be written."""

    def bytes_left(self, needed: float = 0) -> int:
        """Return the bytes that may still be written; negative beyond the limit. Takes microseconds, but if fewer than
        `needed` are left, empties the WAL first, which takes disk time."""
        left = self._bytes_left()
        if left < needed:
            self._writer.empty_wal()
            self._measured_after = -1
            left = self._bytes_left()
        return left

    def refresh(self, step: int, rows: int, keyframe: int, *, due: bool) -> str | None:
        """Compare the run's size with the budget. Return a message about the change; None if nothing changed.
        `step`: the next step to be written, with the bytes of its moved rows (0 if it has none) and of a
        keyframe. `due`: whether it is due to have one.
        """
        if step % _OTHER_FILES_EVERY == 0 or not self._other_bytes:
            self._other_bytes = self._run.bytes_on_disk() - self._writer.bytes_used()
        before, self.replaced_keyframe, self.has_room = self.snapshots, None, True
        beyond = self.limit - self._snapshot_limit
        if self.snapshots == "all" and rows:
            room = min(_KEYFRAMES_ROOM * keyframe, _MAX_KEYFRAMES_SHARE * self._snapshot_limit)
            for_rows = beyond + max((1 - _KEYFRAMES_ONLY_AT) * self._snapshot_limit, room) + rows
            if self.bytes_left(for_rows) <= for_rows:
                self.snapshots = "keyframes"
        if due and self.snapshots != "none":
            for_keyframe = beyond + (1 - _STOP_AT) * self._snapshot_limit + keyframe
            if self.bytes_left(for_keyframe) <= for_keyframe:
                self._replace_keyframe(step, keyframe)
        if self.snapshots == before:
            return None
        # Never resume: the record would look complete but have gaps.
        return say(_SAID[self.snapshots], megabytes=self._run.recipe.disk_budget / 1e6)

    def _replace_keyframe(self, step: int, keyframe: int) -> None:
        # The new keyframe reuses the pages of the old one, and is in the write-ahead log as well for a while.
        left = self._bytes_left() + self._reserve
        self.replaced_keyframe = self._writer.find_surplus_keyframe(step)
        if self.replaced_keyframe is None or left + self._writer.wal_bytes() <= keyframe:
            self.snapshots = "none"
        else:
            self.snapshots = "series"
            # A reader may hold the write-ahead log for a while.
            self.has_room = left > keyframe

    def _bytes_left(self) -> int:
        # Called several times a step, and each call would ask the file system.
        changes = self._writer.count_changes()
        if changes != self._measured_after:
            self._measured_after, self._max_bytes = changes, self._writer.max_bytes()
        return self.limit - self._max_bytes - self._other_bytes
