"""The selection and the order of runs in a list, by what the caller may see of each."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from typing import Any, Literal

from lamplighter.serving.schemas.runs import RunSummary

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
