"""The line that `lamplighter series` prints about the rows that training never moved from where they began."""

from __future__ import annotations

import math

from lamplighter.client.run import Run
from lamplighter.geometry.stayed_rows import measure_stayed

_MAX_NAMED = 12
_MAX_NAME = 40
_CLEARLY_SHORTER = 0.995
_GAP = 3.0
"""So many times what rounding gives lies between rows that were read and others, if there is a gap."""


def describe_stayed(run: Run) -> str:
    """Return how many rows of a series stayed where they began, how clearly they stand apart, and some of their tokens."""
    last = run.snapshot_steps().tolist()[-1]
    first_number, last_number = run.step_number(0) or 0, run.step_number(last) or last
    found = measure_stayed(run.open_snapshot(0), run.open_snapshot(last), last_number - first_number)
    ids, rows = found.ids, len(found.turned)
    if not len(ids):
        return f"each of the {rows:,} rows has turned since step {first_number:,}"
    most = float(found.limit[ids].max())
    told = f"{len(ids):,} of {rows:,} rows have turned since step {first_number:,} by no more than rounding can turn them"
    if not math.isnan(found.nearest_other):
        is_gap = found.nearest_other >= _GAP * most
        told += ": training never read them" if is_gap else ", and there is no gap, so it may have read some"
        told += (
            f"; rounding turns them by {most:.2g} degrees at most,"
            f" and every other row has turned by {found.nearest_other:.2g} or more"
        )
    if found.median_scale < _CLEARLY_SHORTER:
        told += f"; weight decay has shrunk them to {found.median_scale:.0%}"
    named = ", ".join(repr(run.tokens[row][:_MAX_NAME]) for row in ids[:_MAX_NAMED].tolist())
    return f"{told}: {named}{', ...' if len(ids) > _MAX_NAMED else ''}"
