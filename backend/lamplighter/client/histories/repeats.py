"""Tables that a history holds at several steps, and parts of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from lamplighter.client.histories.report import Finding
from lamplighter.client.histories.sentences import NOTHING, Part, Steps, Told
from lamplighter.client.histories.table_summary import TableSummary, distance

_ROUNDING = 2.0**-8
"""The largest relative error of rounding to bfloat16."""
_CLEARLY_LEFT = 0.05


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
        and farthest[at] > _CLEARLY_LEFT
    }


_SHARE = 0.05
_LEAST_ROWS = 8
_CLEARLY_MOVED = 0.02
_MAX_FINDINGS = 20


def find_returning_rows(tables: Sequence[TableSummary], detours: Collection[int]) -> list[Finding]:
    """Find pairs of steps that share many rows which were others in between, as when a part of a file is another step's.

    A row that is never trained is the same at all steps, and is right. A row of low precision may lose and regain its last
    bit: so some of the rows, at least a twentieth of them, must have gone further in between than rounding explains.

    Args:
        tables: by step, of one shape, without copies of whole tables.
        detours: the steps that are out of line, between which it is right that rows are as they were.
    """
    if len(tables) < 3:
        return []
    hashes = np.stack([table.row_hashes for table in tables], axis=1)
    order = np.argsort(hashes, axis=1, kind="stable")
    ordered = np.take_along_axis(hashes, order, axis=1)
    # In a row of equal hashes, the steps ascend: neighbours more than a step apart have another value between them.
    earlier, later = order[:, :-1], order[:, 1:]
    back = (ordered[:, :-1] == ordered[:, 1:]) & (later > earlier + 1)
    pairs, counts = np.unique(earlier[back] * len(tables) + later[back], return_counts=True)
    findings: list[Finding] = []
    for pair, count in sorted(zip(pairs.tolist(), counts.tolist(), strict=True), key=lambda one: -one[1]):
        share = count / len(hashes)
        if share < _SHARE or count < _LEAST_ROWS or len(findings) == _MAX_FINDINGS:
            break
        first, second = tables[pair // len(tables)], tables[pair % len(tables)]
        between = tables[pair // len(tables) + 1 : pair % len(tables)]
        ends_are_right = first.step not in detours and second.step not in detours
        if ends_are_right and all(table.step in detours for table in between):
            continue
        if not _went_away(first, second, between):
            continue
        steps = (first.step, second.step)
        values = {"share": round(100 * share), "first": first.step, "second": second.step}
        findings.append(Finding("returned", "problem", steps, "returned", values, figures={"share": share}))
    return findings


def _went_away(first: TableSummary, second: TableSummary, between: Sequence[TableSummary]) -> bool:
    same = (first.sketch == second.sketch).all(axis=1)
    length = np.linalg.norm(first.sketch, axis=1)
    gone = np.max([distance(first, table) for table in between], axis=0)
    away = same & (gone > _CLEARLY_MOVED * length)
    return int(away.sum()) >= max(2, _SHARE / 2 * len(away))
