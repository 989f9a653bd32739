"""A check that the ids, the gradient and the moved rows belong to the same step.

A loop that reads its next batch or clears its gradient before it calls the recorder gives wrong data. Only consequences
of an embedding's arithmetic are checked. The gradient of an input embedding has only rows of the batch. With tied
weights, or one matrix in two places, further rows have a gradient, but each row of the batch still has one. Momentum
and decay move further rows, and rounding may leave some unmoved.
"""

from __future__ import annotations

import numpy as np

from lamplighter.client.recording.step_arguments import GradientRows
from lamplighter.contract.sentences import say
from lamplighter.wire.binary import UInts

_IN_A_ROW = 3
"""Consecutive inconsistent steps before a warning: a single one may consist of padding."""
_SHARED = 0.75
"""Minimum overlap of batch and gradient, as a share of either: some rows of a batch, such as padding, have a gradient
of exactly zero."""


class StepConsistency:
    """A check of consecutive steps of one loop, whose matrix has `size` rows."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._previous: UInts | None = None
        self._in_a_row: dict[str, int] = {}
        self._said = False

    def find_contradiction(
        self, batch: UInts, gradient: GradientRows | None, moved: UInts | None
    ) -> str | None:
        """Return a contradiction in the last steps, once per loop; else None. `batch`: the ids of the step,
        sorted; `moved`: the rows that moved, sorted; None if unknown."""
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
        """Return the contradictions of this step by kind. Kinds that cannot be checked are omitted."""
        found: dict[str, str | None] = {}
        if gradient is not None and len(gradient.token_ids) and len(batch):
            rows = gradient.token_ids
            shared = _shared(batch, rows)
            # If most rows have a gradient, weights are tied, and any few rows may have none.
            apart = (
                2 * len(rows) <= self._size and shared < _SHARED * len(batch) and shared < _SHARED * len(rows)
            )
            late = previous is not None and _shared(previous, rows) == len(rows)
            found["gradient and batch"] = (
                say("gradient_is_late" if late else "gradient_of_other_ids") if apart else None
            )
        if gradient is not None and len(gradient.token_ids) and moved is not None and len(moved):
            disjoint = not _shared(gradient.token_ids, moved)
            found["gradient and moved"] = say("gradient_of_unmoved") if disjoint else None
        if gradient is None and moved is not None and len(moved) and previous is not None:
            late = _shared(previous, moved) == len(moved) > _shared(batch, moved)
            found["moved and batch"] = say("moved_is_late") if late else None
        return found


def _shared(first: UInts, second: UInts) -> int:
    """Return the number of ids that are in both of two sorted sets."""
    few, many = (first, second) if len(first) <= len(second) else (second, first)
    if not len(few):
        return 0
    at = np.minimum(np.searchsorted(many, few), len(many) - 1)
    return int(np.count_nonzero(many[at] == few))
