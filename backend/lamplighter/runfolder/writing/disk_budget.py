"""The disk budget of a run: close to it only keyframes are kept, at it only scalars and sets.

Unlike a full disk (`free_space.py`), a spent budget is final: snapshots that were given up do not resume.
"""

from __future__ import annotations

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsWriter

_CHECK_EVERY = 50
_KEYFRAMES_ONLY_AT, _STOP_AT = 0.90, 0.98
_STATES = ("all", "keyframes", "none")


class DiskBudget:
    """A monitor of a run's size that decides which snapshots may still be kept."""

    def __init__(self, run: RunFolder, writer: StepsWriter) -> None:
        self._run, self._writer = run, writer
        self._other_bytes = 0
        self.snapshots = "all"
        """Snapshots that may be kept from now on: `all`, `keyframes` or `none`."""

    def refresh(self, step: int) -> str | None:
        """Compare the run's size with the budget, once every 50 steps.

        Returns:
            A message that says what is given up; None if nothing changed.
        """
        if step % _CHECK_EVERY:
            return None
        if step % (10 * _CHECK_EVERY) == 0 or not self._other_bytes:
            self._other_bytes = self._run.bytes_on_disk() - self._writer.bytes_used()
        budget = self._run.recipe.disk_budget
        used = (self._writer.bytes_used() + self._other_bytes) / budget
        state = "none" if used >= _STOP_AT else "keyframes" if used >= _KEYFRAMES_ONLY_AT else "all"
        # Never resume what was given up: the record would look complete and have holes.
        if _STATES.index(state) <= _STATES.index(self.snapshots):
            return None
        self.snapshots = state
        kept = "only keyframes are kept" if state == "keyframes" else "no more snapshots are kept"
        return f"the disk budget of {budget / 1e6:,.0f} MB is nearly used: {kept} from here on"
