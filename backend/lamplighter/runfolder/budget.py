"""A run's disk budget: near it only keyframes are kept, at it only scalars and sets; and it is said.

Unlike a disk that is full (`room.py`), a budget that is used up stays so: what it has given up is final.
"""

from __future__ import annotations

from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.steps import StepsWriter

_LOOK_EVERY = 50
_THIN_AT, _STOP_AT = 0.90, 0.98
_STATES = ("all", "keyframes", "none")


class DiskBudget:
    """Watches the room a run takes, and says what may still be kept."""

    def __init__(self, run: RunFolder, writer: StepsWriter) -> None:
        self._run, self._writer = run, writer
        self._other_bytes = 0
        self.snapshots = "all"
        """What may be kept from here on: `all`, `keyframes` or `none`."""

    def look(self, step: int) -> str | None:
        """Look whether it is nearly used, every so many steps.

        Returns:
            A sentence that says what is given up, if something is.
        """
        if step % _LOOK_EVERY:
            return None
        if step % (10 * _LOOK_EVERY) == 0 or not self._other_bytes:
            self._other_bytes = self._run.bytes_on_disk() - self._writer.bytes_used()
        budget = self._run.recipe.disk_budget
        used = (self._writer.bytes_used() + self._other_bytes) / budget
        state = "none" if used >= _STOP_AT else "keyframes" if used >= _THIN_AT else "all"
        # What was given up is not taken up again: the record would look whole and have holes.
        if _STATES.index(state) <= _STATES.index(self.snapshots):
            return None
        self.snapshots = state
        kept = "only keyframes are kept" if state == "keyframes" else "no more snapshots are kept"
        return f"the disk budget of {budget / 1e6:,.0f} MB is nearly used: {kept} from here on"
