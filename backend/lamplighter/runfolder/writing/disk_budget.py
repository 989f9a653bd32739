"""The disk budget of a run: close to it only keyframes are kept, at it only scalars and sets.

Unlike a full disk (`free_space.py`), a spent budget is final: snapshots that were given up do not resume.
"""

from __future__ import annotations

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsWriter

_OTHER_FILES_EVERY = 50
_KEYFRAMES_ONLY_AT, _STOP_AT = 0.90, 0.98


class DiskBudget:
    """A monitor of a run's size that decides, before anything is written, which snapshots may be kept."""

    def __init__(self, run: RunFolder, writer: StepsWriter, *, reserve: int = 0, share: float = 1.0) -> None:
        """Watch a run.

        Args:
            run: the run.
            writer: the writer of its steps.
            reserve: bytes of the budget that are for something else.
            share: the share of the rest that is for snapshots and what is there by then.
        """
        self._run, self._writer = run, writer
        self._other_bytes = 0
        self.limit = run.recipe.disk_budget - reserve
        """Bytes that the run may take, without the reserve."""
        self._snapshot_limit = share * self.limit
        self.snapshots = "all"
        """Snapshots that may be kept from now on: `all`, `keyframes` or `none`."""

    def bytes_left(self, needed: float = 0) -> int:
        """Return the bytes that may still be written; negative beyond the limit. Takes microseconds, or as long as a disk
        takes if they are fewer than `needed`: what is twice on the disk is then written once."""
        left = self._bytes_left()
        if left < needed:
            self._writer.empty_wal()
            left = self._bytes_left()
        return left

    def refresh(self, step: int, rows: int, keyframe: int) -> str | None:
        """Compare the run's size with the budget.

        Args:
            step: the step that is about to be written.
            rows: the bytes of its moved rows.
            keyframe: the bytes of its keyframe; 0 if it has none.

        Returns:
            A message that says what is given up; None if nothing changed.
        """
        if step % _OTHER_FILES_EVERY == 0 or not self._other_bytes:
            self._other_bytes = self._run.bytes_on_disk() - self._writer.bytes_used()
        if self.snapshots == "none":
            return None
        beyond = self.limit - self._snapshot_limit
        for_rows = beyond + (1 - _KEYFRAMES_ONLY_AT) * self._snapshot_limit + rows
        for_keyframes = beyond + (1 - _STOP_AT) * self._snapshot_limit + keyframe
        needed = for_keyframes if self.snapshots == "keyframes" else max(for_rows, for_keyframes)
        left = self.bytes_left(needed)
        if left > needed:
            return None
        # Never resume what was given up: the record would look complete and have holes.
        self.snapshots = "none" if left <= for_keyframes else "keyframes"
        kept = "only keyframes are kept" if self.snapshots == "keyframes" else "no more snapshots are kept"
        budget = self._run.recipe.disk_budget / 1e6
        return f"the disk budget of {budget:,.0f} MB is nearly used: {kept} from here on"

    def _bytes_left(self) -> int:
        return self.limit - self._writer.most_bytes() - self._other_bytes
