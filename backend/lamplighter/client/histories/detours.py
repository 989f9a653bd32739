"""Steps whose table is out of line: away from the one before, and back again right after."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from lamplighter.client.histories.finding import Finding
from lamplighter.client.histories.sentences import Steps, Told
from lamplighter.client.histories.table_summary import TableSummary, distance, median_cosine
from lamplighter.wire.binary import Floats

_RATIO = 3.0
_CLEARLY_MOVED = 0.02
_SHARE = 0.1
_TIMES_USUAL = 5.0
_LEAST_ROWS = 8
_MAX_LENGTH = 3


def find_detours(tables: Sequence[TableSummary]) -> list[Finding]:
    """Find one to three steps that lie apart from both their neighbours in time, which lie near each other.

    For each sampled row, the way there and the way back (the shorter of the two) are compared with the way between the
    neighbours. Training that drifts makes the ratio 0.5, a random walk 0.7, pure noise around a point 1, at any
    learning rate and any spacing of the checkpoints; a spike of the learning rate leads away and not back to where it
    was. A row counts from a ratio of 3, if it moved further than rounding does. A step is out of
    line if a tenth of the rows count, and five times the share that is usual in this history: the median over its steps,
    so that one that swings as a whole, at a learning rate that is too large, is not taken for a row of errors.

    Args:
        tables: by step, of one shape, without copies.
    """
    found: dict[tuple[int, int], float] = {}
    taken: set[int] = set()
    near = [distance(a, b) for a, b in pairwise(tables)]
    lengths = [np.linalg.norm(table.sketch, axis=1) for table in tables]
    for length in range(1, _MAX_LENGTH + 1):
        shares = {
            at: _detour_share(
                near[at - 1],
                near[at + length - 1],
                distance(tables[at - 1], tables[at + length]),
                lengths[at - 1],
            )
            for at in range(1, len(tables) - length)
        }
        usual = float(np.median(list(shares.values()))) if shares else 0.0
        for at, share in sorted(shares.items(), key=lambda one: -one[1]):
            own = set(range(at, at + length))
            enough = share >= max(_SHARE, _TIMES_USUAL * usual, _LEAST_ROWS / len(lengths[0]))
            if enough and not taken & own:
                found[at, length] = share
                taken |= own
    return [_tell(tables, at, length, share) for (at, length), share in sorted(found.items())]


def _detour_share(there: Floats, back: Floats, direct: Floats, length: Floats) -> float:
    detour = np.minimum(there, back)
    return float(np.mean((detour > _CLEARLY_MOVED * length) & (detour > _RATIO * direct)))


def _tell(tables: Sequence[TableSummary], at: int, length: int, share: float) -> Finding:
    before, own, after = tables[at - 1], tables[at : at + length], tables[at + length]
    figures = {
        "share": share,
        "cosine_to_before": median_cosine(before, own[0]),
        "cosine_to_after": median_cosine(own[-1], after),
        "cosine_across": median_cosine(before, after),
        "median_norm": own[0].median_norm,
        "median_norm_before": before.median_norm,
        "median_norm_after": after.median_norm,
    }
    steps = tuple(table.step for table in own)
    values: dict[str, Told] = {
        "steps": Steps(steps, [table.step for table in tables]),
        "before": before.step,
        "after": after.step,
        "cosine_before": figures["cosine_to_before"],
        "cosine_after": figures["cosine_to_after"],
        "cosine_across": figures["cosine_across"],
        "norm": own[0].median_norm,
        "norm_before": before.median_norm,
        "norm_after": after.median_norm,
    }
    return Finding("out_of_line", "problem", steps, "out_of_line", values, figures=figures)
