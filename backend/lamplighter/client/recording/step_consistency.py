"""A check that the ids, the gradient and the moved rows of a step can be of the same step.

A loop that reads its next batch before it calls the recorder, or clears its gradient, is easily recorded wrong. What
follows from the arithmetic of an embedding is checked and nothing else. The gradient of an input embedding has rows of
the batch alone; tied weights, or one matrix in two places, give further rows a gradient, and each row of the batch
has one still. Momentum and decay move further rows, and rounding may leave some where they are.
"""

from __future__ import annotations

import numpy as np

from lamplighter.client.recording.step_arguments import GradientRows
from lamplighter.wire.binary import UInts

_IN_A_ROW = 3
"""Steps in a row that must contradict themselves: a single one may be of padding alone."""
_SHARED = 0.75
"""Share that batch and gradient have in common at least, of the one or of the other: some rows of a batch have a gradient of
exactly zero, padding for one."""

_LATE = "the rows are those of the ids given a step before: give each step the ids that it was computed from"
_GRADIENT_AND_BATCH = "the gradient has other rows than the ids: {}"
_GRADIENT_AND_MOVED = "none of the rows with a gradient moved, and others did: give the gradient of this step, as it is before it is cleared"


class StepConsistency:
    """A check of the steps of one loop, one after another."""

    def __init__(self, size: int) -> None:
        """Begin with a loop whose matrix has `size` rows."""
        self._size = size
        self._previous: UInts | None = None
        self._in_a_row: dict[str, int] = {}
        self._said = False

    def find_contradiction(
        self, batch: UInts, gradient: GradientRows | None, moved: UInts | None
    ) -> str | None:
        """Return what contradicts itself in the last steps, once for each loop; else None.

        Args:
            batch: the ids of the step, sorted.
            gradient: the rows with a gradient; None if none was given.
            moved: the rows that moved, sorted; None if they are not known.
        """
        previous, self._previous = self._previous, batch
        if self._said:
            return None
        found: str | None = None
        for kind, message in self._contradictions(batch, gradient, moved, previous).items():
            self._in_a_row[kind] = self._in_a_row.get(kind, 0) + 1 if message else 0
            if message and self._in_a_row[kind] == _IN_A_ROW:
                found = found or message
        self._said = found is not None
        return found

    def _contradictions(
        self, batch: UInts, gradient: GradientRows | None, moved: UInts | None, previous: UInts | None
    ) -> dict[str, str | None]:
        """Return what this step contradicts by itself, by kind. A kind of which it says nothing is left out."""
        found: dict[str, str | None] = {}
        if gradient is not None and len(gradient.token_ids) and len(batch):
            rows = gradient.token_ids
            shared = _shared(batch, rows)
            # Where most rows have a gradient, weights are tied, and any few rows may have none.
            apart = (
                2 * len(rows) <= self._size and shared < _SHARED * len(batch) and shared < _SHARED * len(rows)
            )
            late = previous is not None and _shared(previous, rows) == len(rows)
            reason = _LATE if late else "give the ids and the gradient of the same step"
            found["gradient and batch"] = _GRADIENT_AND_BATCH.format(reason) if apart else None
        if gradient is not None and len(gradient.token_ids) and moved is not None and len(moved):
            disjoint = not _shared(gradient.token_ids, moved)
            found["gradient and moved"] = _GRADIENT_AND_MOVED if disjoint else None
        if gradient is None and moved is not None and len(moved) and previous is not None:
            late = _shared(previous, moved) == len(moved) > _shared(batch, moved)
            found["moved and batch"] = f"the rows that moved are not of the ids: {_LATE}" if late else None
        return found


def _shared(first: UInts, second: UInts) -> int:
    """Return the number of ids that are in both of two sorted sets."""
    few, many = (first, second) if len(first) <= len(second) else (second, first)
    if not len(few):
        return 0
    at = np.minimum(np.searchsorted(many, few), len(many) - 1)
    return int(np.count_nonzero(many[at] == few))
