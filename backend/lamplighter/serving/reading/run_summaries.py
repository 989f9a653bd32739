"""The summaries of runs, for those who may see the text and for those who may not.

They are kept while the files of their folders stay as they are: most runs of a list are over.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import NAME_FILE, plain_run_name
from lamplighter.serving.schemas.runs import RunSummary, without_text

_RUNS_KEPT = 1_000
_SETTLED_NS = 2_000_000_000
"""The coarsest steps in which a file system keeps times: exFAT's. Two changes within one may leave the same time."""

_FolderState = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class SummarisedRun:
    """A run with its summary."""

    run: RunFolder
    summary: RunSummary

    @cached_property
    def withheld(self) -> RunSummary:
        """Return the summary for those who may not see the text."""
        return without_text(self.summary, plain_run_name(self.run))


class RunSummaries:
    """The summaries made last, of some hundred runs. Thread-safe."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[_FolderState, SummarisedRun]] = {}

    def get(self, run: RunFolder, make: Callable[[RunFolder], RunSummary]) -> SummarisedRun:
        """Return the summary of a run: the one kept, or another where its folder has changed or is at work."""
        # Before the summary: a change during it is seen the next time.
        state, now = _state_of(run), time.time_ns()
        kept = self._kept.get(run.id)
        if kept is not None and kept[0] == state:
            return kept[1]
        made = SummarisedRun(run, make(run))
        if state is not None and _stays(made.summary, state, now):
            if len(self._kept) >= _RUNS_KEPT:
                self._kept.clear()
            self._kept[run.id] = state, made
        return made


def _state_of(run: RunFolder) -> _FolderState | None:
    """Return the name, the bytes and the time of every entry of a run's folder; None if it cannot be listed."""
    try:
        with os.scandir(run.path) as entries:
            stats = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    except OSError:
        return None
    return tuple(
        sorted(
            (name, facts.st_size, facts.st_mtime_ns)
            for name, facts in stats
            # Readers of a file in WAL mode make these two.
            if not name.endswith("-shm") and not (name.endswith("-wal") and facts.st_size == 0)
        )
    )


def _stays(summary: RunSummary, state: _FolderState, now: int) -> bool:
    """Return whether a summary holds until its folder changes.

    That a trainer is at work is seen by its lock, which leaves no trace in the folder; a reason why a run cannot be read may
    lie outside it, and so does the number of a run without a name of its own.
    """
    return (
        summary.status is not None
        and not summary.status.alive
        and any(name == NAME_FILE for name, _, _ in state)
        and all(changed < now - _SETTLED_NS for _, _, changed in state)
    )
