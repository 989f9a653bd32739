"""The line that `lamplighter series` prints about the rows that training never moved from where they began."""

from __future__ import annotations

import math

from lamplighter.client.run import Run
from lamplighter.geometry.stayed_rows import measure_stayed

_MAX_NAMED = 12
_MAX_NAME = 40
_CLEARLY_SHORTER = 0.995


def describe_stayed(run: Run) -> str:
    """Return how many rows of a series stayed where they began, how clearly they stand apart, and some of their tokens."""
    last = run.snapshot_steps().tolist()[-1]
    first_number, last_number = run.step_number(0) or 0, run.step_number(last) or last
    found = measure_stayed(run.open_snapshot(0), run.open_snapshot(last), last_number - first_number)
    ids, rows = found.ids, len(found.turned)
    if not len(ids):
        return f"each of the {rows:,} rows has turned since step {first_number:,}"
    told = f"{len(ids):,} of {rows:,} rows stayed where they were at step {first_number:,}: training never read them"
    if not math.isnan(found.nearest_other):
        told += (
            f"; rounding turns them by {found.limit[ids].max():.2g} degrees at most,"
            f" and every other row has turned by {found.nearest_other:.2g} or more"
        )
    if found.median_scale < _CLEARLY_SHORTER:
        told += f"; weight decay has shrunk them to {found.median_scale:.0%}"
    named = ", ".join(repr(run.tokens[row][:_MAX_NAME]) for row in ids[:_MAX_NAMED].tolist())
    return f"{told}: {named}{', ...' if len(ids) > _MAX_NAMED else ''}"
