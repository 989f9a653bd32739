"""Rows that come back to the numbers of an earlier step."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from lamplighter.client.histories.finding import Finding
from lamplighter.client.histories.table_summary import TableSummary, distance

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
