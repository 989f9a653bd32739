"""The phases of a run, and which of them are its end."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """A phase of a run, by the name that its record and the REST interface give it."""

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
    """The run cannot go on as it is."""

    @property
    def has_ended(self) -> bool:
        """Return whether the run has ended, so that no trainer should be at work; it may be continued."""
        return self in ENDED_PHASES


ENDED_PHASES = (Phase.FINISHED, Phase.INTERRUPTED, Phase.FAILED)
"""The phases of a run that has ended; for a name that may be no phase, such as that of an imported run."""
