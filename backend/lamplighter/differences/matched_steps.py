"""How two runs are related, and the steps at which they are compared.

A fork's step 0 is a step of its parent, so its step n and the parent's step k + n are at the same distance from where
they part. Two forks share the clock of the run that both come from. Unrelated runs are compared at the same step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.reason import Reason
from lamplighter.runfolder.errors import READ_ERRORS, NotComparableError
from lamplighter.runfolder.reading.snapshot import nearest_kept
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
    """Return the relation of two runs. `find` returns a run by its id, or None if it is not here. A run in
    between that is gone hides what lies before.
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


MovedReason = Literal["run_ends", "other_ends", "before_first", "not_kept", "other_held", "run_held"]
"""`other_held`: the other has no step after the two part, so its last state is compared; `run_held`: the run has none."""


@dataclass(frozen=True)
class MatchedSteps:
    """A step of each of two runs, both kept exactly."""

    asked: int | None
    """The step that was asked for; None for the newest."""
    step: int
    other_step: int
    moved: MovedReason | None = None
    """Why `step` is another than the one asked for, or the two are not at one point of their clock; None if neither."""
    first: int | None = None
    """The first step of the run that both kept on their clock; None if there is no clock."""
    last: int | None = None

    @property
    def clocked(self) -> bool:
        """Return whether the two steps are at one point of the clock."""
        return self.first is not None and self.moved not in ("other_held", "run_held")


def match_steps(
    exact: NDArray[np.int64],
    other_exact: NDArray[np.int64],
    offset: int,
    asked: int | None,
    newest: tuple[int, int],
    shared: int | None = None,
) -> MatchedSteps:
    """Return the step `asked` for, or the nearest before it that both runs kept, or else the first.

    Where one of the two has no step after they part, as the parent of a fork of its last step, the clock
    would compare them only where they are one. The later steps of the longer one are then compared with the
    last state of the other.

    `exact`, `other_exact`: the steps that are kept exactly, ascending, shape (N,) each; `offset`: the step of
    the other minus that of the run; `newest`: of each run; `shared`: the last step of the run that is in the
    history of both; None for unrelated runs. It raises NotComparableError if they kept no step in common.
    """
    common = np.intersect1d(exact, other_exact - offset, assume_unique=True)
    if not len(common):
        raise NotComparableError(
            "these two runs have kept no step in common, so nothing can be compared", Reason("no_common_step")
        )
    first, last = int(common[0]), int(common[-1])
    if shared is not None and last == shared >= min(newest[0], newest[1] - offset):
        kept = nearest_kept(exact, newest[0] if asked is None else asked)
        if kept is not None and kept > last:
            return MatchedSteps(asked, kept, last + offset, "other_held", first, last)
        if other_exact[-1] > last + offset and (asked is None or asked >= last):
            return MatchedSteps(asked, last, int(other_exact[-1]), "run_held", first, last)
    index = len(common) - 1 if asked is None else int(np.searchsorted(common, asked, side="right")) - 1
    step = int(common[max(0, index)])
    moved: MovedReason | None = None
    if asked is not None and step != asked:
        moved = "not_kept"
        if index < 0:
            moved = "before_first"
        elif asked > newest[0]:
            moved = "run_ends"
        elif asked + offset > newest[1]:
            moved = "other_ends"
    return MatchedSteps(asked, step, step + offset, moved, first, last)
