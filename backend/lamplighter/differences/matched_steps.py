"""The steps at which two runs are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.reason import Reason
from lamplighter.runfolder.errors import NotComparableError
from lamplighter.runfolder.reading.snapshot import nearest_kept

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
