"""The steps at which two runs are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.reason import Reason
from lamplighter.runfolder.errors import NotComparableError

MovedReason = Literal["run_ends", "other_ends", "before_first", "not_kept"]


@dataclass(frozen=True)
class MatchedSteps:
    """A step of each of two runs, both kept exactly."""

    asked: int | None
    """The step that was asked for; None for the newest."""
    step: int
    other_step: int
    moved: MovedReason | None = None
    """Why `step` is another than the one asked for; None if it is not."""
    first: int | None = None
    """The first step of the run that both kept on their clock; None if there is no clock."""
    last: int | None = None


def match_steps(
    exact: NDArray[np.int64],
    other_exact: NDArray[np.int64],
    offset: int,
    asked: int | None,
    newest: tuple[int, int],
) -> MatchedSteps:
    """Return the step asked for, or the nearest before it that both runs kept, or else the first.

    Args:
        exact, other_exact: the steps that are kept exactly, ascending, shape (N,) each.
        offset: the step of the other minus that of the run.
        asked: the step of the run; None for the newest.
        newest: the newest step of each run.

    Raises:
        NotComparableError: they kept no step in common.
    """
    common = np.intersect1d(exact, other_exact - offset, assume_unique=True)
    if not len(common):
        raise NotComparableError(
            "these two runs have kept no step in common, so nothing can be compared", Reason("no_common_step")
        )
    first, last = int(common[0]), int(common[-1])
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
