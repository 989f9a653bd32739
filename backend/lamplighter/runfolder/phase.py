"""The phases of a run."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """A phase of a run, with its name in the record and in REST."""

    WAITING = "waiting"
    """No trainer has begun."""
    PREPARING = "preparing"
    """The corpus is being read."""
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    """All steps are done."""
    INTERRUPTED = "interrupted"
    """The run was stopped before its last step."""
    FAILED = "failed"
    """The run cannot continue."""

    @property
    def has_ended(self) -> bool:
        """Return whether the run has ended, so that no trainer should be running. It can still be continued."""
        return self in ENDED_PHASES


ENDED_PHASES = (Phase.FINISHED, Phase.INTERRUPTED, Phase.FAILED)
"""The phases of a run that has ended; use it for names that may not be phases, as in an imported run."""
