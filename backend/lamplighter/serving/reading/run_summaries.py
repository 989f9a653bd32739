"""The summaries of runs, with and without their text.

They are cached while the files of a run do not change: most listed runs are over.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from lamplighter.runfolder import remote_files
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import NAME_FILE, plain_run_name
from lamplighter.serving.schemas.runs import RunSummary, without_text

_RUNS_KEPT = 1_000
_SETTLED_NS = 2_000_000_000
"""The coarsest time resolution of a file system: exFAT's. Two changes within it may have the same time."""

FolderState = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class SummarisedRun:
    """A run with its summary."""

    run: RunFolder
    summary: RunSummary

    @cached_property
    def withheld(self) -> RunSummary:
        """Return the summary without the text."""
        return without_text(self.summary, plain_run_name(self.run))


class RunSummaries:
    """A cache of the latest summaries of a few hundred runs. Thread-safe."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[FolderState, SummarisedRun]] = {}

    def get(self, run: RunFolder, make: Callable[[RunFolder], RunSummary]) -> SummarisedRun:
        """Return the summary of a run: the cached one, or a new one if its folder has changed or is in use."""
        # Read before the summary, so that a change during it is noticed the next time.
        state, now = read_folder_state(run), time.time_ns()
        kept = self._kept.get(run.id)
        if kept is not None and kept[0] == state:
            return kept[1]
        made = SummarisedRun(run, make(run))
        if state is not None and _stays(made, state, now):
            if len(self._kept) >= _RUNS_KEPT:
                self._kept.clear()
            self._kept[run.id] = state, made
        return made


def read_folder_state(run: RunFolder) -> FolderState | None:
    """Return the name, the bytes and the time of every entry of a run's folder; None if it cannot be listed.

    It changes with everything that is recorded, but not when a trainer takes or leaves the run.
    """
    try:
        with os.scandir(run.path) as entries:
            stats = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    except OSError:
        return None
    return tuple(
        sorted(
            (name, facts.st_size, facts.st_mtime_ns)
            for name, facts in stats
            # Readers of a file in WAL mode create these two.
            if not name.endswith("-shm") and not (name.endswith("-wal") and facts.st_size == 0)
        )
    )


def _stays(made: SummarisedRun, state: FolderState, now: int) -> bool:
    """Return whether a summary stays valid until its folder changes.

    A trainer's lock leaves no trace in the folder. The reason why a run cannot be read may lie outside the folder, and
    so does the number of an unnamed run. Published runs never change, nor do those beside them.
    """
    status = made.summary.status
    if status is None or remote_files.find(made.run.steps_path) is not None:
        return status is not None
    return (
        not status.alive
        and any(name == NAME_FILE for name, _, _ in state)
        and all(changed < now - _SETTLED_NS for _, _, changed in state)
    )
