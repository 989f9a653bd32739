"""Tables that a history holds at several steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lamplighter.client.histories.finding import Finding
from lamplighter.client.histories.sentences import NOTHING, Part, Steps, Told
from lamplighter.client.histories.table_summary import TableSummary, distance

_ROUNDING = 2.0**-8
"""The largest relative error of rounding to bfloat16."""
_CLEARLY_MOVED = 0.05


class Repeats(NamedTuple):
    """The result of `find_repeats`."""

    findings: list[Finding]
    copies: frozenset[int]
    """The steps that hold another step's table, which say nothing about their own time."""


def find_repeats(tables: Sequence[TableSummary]) -> Repeats:
    """Find the steps that hold the same table, or the last one up to rounding.

    Training may stand still, at its start (a frozen table, a learning rate of zero) or at its end (updates below the
    format's precision): equal tables there are a note. It never comes back to every bit of a table that it has left, so
    equal tables with another between them, or a pair amid a training that moves, are copies: a problem. Of such a group
    the last step's table is taken for genuine, and without it the one that its neighbours are nearest to.

    Args:
        tables: by step, of one shape, at least one.
    """
    steps = [table.step for table in tables]
    groups: dict[bytes, list[int]] = defaultdict(list)
    for at, table in enumerate(tables):
        groups[table.digest].append(at)
    findings: list[Finding] = []
    copies: set[int] = set()
    last = len(tables) - 1
    if len(groups) == 1 and last:
        everything = Finding(
            "repeated", "problem", tuple(steps), "repeated_all", {"count": len(tables)}, steps[-1]
        )
        return Repeats([everything], frozenset())
    rounded = _find_rounded(tables)
    for group in groups.values():
        if len(group) == 1 or steps[group[0]] in rounded:
            continue
        is_stretch = group[-1] - group[0] + 1 == len(group)
        if is_stretch and (group[0] == 0 or group[-1] == last):
            held = tuple(steps[at] for at in group)
            text = "still_first" if group[0] == 0 else "still_last"
            values = {"count": len(group), "steps": Steps(held, steps)}
            findings.append(Finding("still", "note", held, text, values, held[0]))
            continue
        genuine = last if group[-1] == last else min(group, key=lambda at: _gap(tables, at))
        others = tuple(steps[at] for at in group if at != genuine)
        copies.update(others)
        findings.append(_tell_copies(others, steps[genuine], steps))
    if rounded:
        held = tuple(rounded)
        values = {"steps": Steps(held, steps), "of": steps[-1], "last": Part("last")}
        figures = {"relative_distance": max(rounded.values())}
        findings.append(Finding("rounded", "problem", held, "rounded", values, steps[-1], figures))
    return Repeats(findings, frozenset(copies.union(rounded)))


def _gap(tables: Sequence[TableSummary], at: int) -> float:
    """Return how far a table is from the nearer of its neighbours in time with another table."""
    before = next((one for one in reversed(tables[:at]) if one.digest != tables[at].digest), None)
    after = next((one for one in tables[at + 1 :] if one.digest != tables[at].digest), None)
    return min(
        (float(np.linalg.norm(distance(tables[at], one))) for one in (before, after) if one is not None),
        default=0.0,
    )


def _tell_copies(copies: tuple[int, ...], genuine: int, steps: Sequence[int]) -> Finding:
    values: dict[str, Told] = {
        "steps": Steps(copies, steps),
        "of": genuine,
        "last": Part("last") if genuine == steps[-1] else NOTHING,
        "start": Part("start", {"step": steps[0]}) if copies[0] == steps[0] else NOTHING,
        "count": len(copies) + 1,
        "all": len(steps),
    }
    text = "repeated_one" if len(copies) == 1 else "repeated_many"
    return Finding("repeated", "problem", copies, text, values, genuine)


def _find_rounded(tables: Sequence[TableSummary]) -> dict[int, float]:
    """Return the steps that hold the last table in a coarser format, which changes its bits, with their relative
    distance."""
    last = tables[-1]
    length = float(np.linalg.norm(last.sketch))
    if not length:
        return {}
    apart = [float(np.linalg.norm(distance(table, last))) / length for table in tables]
    farthest = np.maximum.accumulate(apart[::-1])[::-1]
    return {
        table.step: apart[at]
        for at, table in enumerate(tables)
        if table.digest != last.digest
        and apart[at] < _ROUNDING
        # Late in training all steps are near the last: something else must lie between.
        and farthest[at] > _CLEARLY_MOVED
    }
