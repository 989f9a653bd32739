"""How two runs are related, and the clock that they share.

A fork's step 0 is a step of its parent, so its step n and the parent's step k + n are at the same distance from where
they part. Two forks share the clock of the run that both come from. Unrelated runs are compared at the same step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder

RelationKind = Literal["fork", "parent", "siblings", "none", "same"]
MAX_GENERATIONS = 32


class Origin(NamedTuple):
    """A run that another comes from, or the run itself."""

    run: str
    """Its id."""
    offset: int
    """Its step minus that of the run, at the same point of the clock."""
    left: int | None
    """The last of its steps that the run's history contains; None for the run itself."""


@dataclass(frozen=True)
class Relation:
    """The relation of a run to another."""

    kind: RelationKind
    """`fork`: the run comes from the other; `parent`: the other comes from it; `siblings`: both come from one run;
    `none`; `same`: both are one run."""
    ancestor: str | None = None
    """The id of the run whose steps both count from; None for unrelated runs."""
    offset: int = 0
    """The step of the other minus that of the run."""
    shared: int | None = None
    """The last step of the run that is also in the history of the other; None if there is none, or both are one run."""


def relate(run: RunFolder, other: RunFolder, find: Callable[[str], RunFolder | None]) -> Relation:
    """Return the relation of two runs.

    `find` returns a run by its id, or None if it is not here. A run in between that is gone hides what lies
    before.
    """
    if run.id == other.id:
        return Relation("same", run.id)
    own, others = _read_origins(run, find), {origin.run: origin for origin in _read_origins(other, find)}
    for origin in own:
        if origin.run in others:
            there = others[origin.run]
            parted = min(left for left in (origin.left, there.left) if left is not None)
            shared = parted - origin.offset
            kind = "fork" if origin.run == other.id else "parent" if origin.run == run.id else "siblings"
            return Relation(kind, origin.run, origin.offset - there.offset, shared if shared >= 0 else None)
    return Relation("none")


def _read_origins(run: RunFolder, find: Callable[[str], RunFolder | None]) -> list[Origin]:
    found = [Origin(run.id, 0, None)]
    parent = run.recipe.parent
    while parent is not None and len(found) < MAX_GENERATIONS and all(parent.run != o.run for o in found):
        found.append(Origin(parent.run, found[-1].offset + parent.step, parent.step))
        try:
            before = find(parent.run)
            parent = None if before is None else before.recipe.parent
        except READ_ERRORS:
            break
    return found
