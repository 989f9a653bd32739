"""The list of runs: their summaries, with and without their text, and their selection and order by what the caller may see
of each.

Summaries are cached while the files of a run do not change: most listed runs are over.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

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


RunState = Literal[
    "waiting", "preparing", "running", "paused", "finished", "interrupted", "failed", "unreadable"
]
"""The state of a status, or `unreadable`."""
RunOrder = Literal["created", "loss", "steps", "name"]
"""`created`: newest first; `loss`: lowest first; `steps`: most first; `name`: in alphabetical order."""
_NUMBER = re.compile(r"(\d+)")


def select_runs(
    runs: list[RunSummary], words: str = "", states: Collection[RunState] = (), set_id: str | None = None
) -> list[RunSummary]:
    """Return the runs that pass, in their order. `words`: words that the name must have, in any order and case, or
    a part of the id. `states`: empty for any. `set_id`: the set that they are in; empty for none, None for any.
    """
    wanted = words.casefold()
    return [
        run
        for run in runs
        if (set_id is None or (run.set or "") == set_id)
        and (not states or (run.status.state if run.status else "unreadable") in states)
        and (wanted in run.id or all(word in run.name.casefold() for word in wanted.split()))
    ]


def sort_runs(runs: list[RunSummary], order: RunOrder) -> list[RunSummary]:
    """Return runs, which come newest first, in an order. Those without a loss are last by loss."""
    keys: dict[RunOrder, Callable[[RunSummary], Any]] = {
        "loss": _loss,
        "steps": lambda run: -run.status.step if run.status else 1,
        "name": _natural_name,
    }
    return sorted(runs, key=keys[order]) if order in keys else runs


def _loss(run: RunSummary) -> float:
    loss = None if run.status is None else run.status.loss
    return loss if loss is not None and math.isfinite(loss) else math.inf


def _natural_name(run: RunSummary) -> list[str]:
    """Return the name as a key in which 10 comes after 9."""
    return [part.zfill(20) if part.isdigit() else part for part in _NUMBER.split(run.name.casefold())]
