"""Tables that a history holds at several steps, and parts of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.histories.report import NOTHING, Finding, Part, SentenceValue, Steps
from lamplighter.client.histories.table_summary import TableSummary, distance
from lamplighter.wire.binary import Floats


class Repeats(NamedTuple):
    """The result of `find_repeats`."""

    findings: list[Finding]
    copies: frozenset[int]
    """The steps that hold another step's table, which say nothing about their own time."""


def find_repeats(tables: Sequence[TableSummary]) -> Repeats:
    """Find the steps that hold the same table, or one of another step up to rounding.

    Training may stand still (a frozen table, a learning rate of zero, updates below the format's precision), so equal
    tables in a row are a note. It never comes back to every bit of a table that it has left, so equal tables with another
    between them are copies: a problem. Of such a group the last step's table is taken for genuine, and without it the one
    that its neighbours are nearest to.

    Args:
        tables: by step, of one width, at least one.
    """
    steps = [table.step for table in tables]
    groups: dict[bytes, list[int]] = defaultdict(list)
    for at, table in enumerate(tables):
        groups[table.digest].append(at)
    findings: list[Finding] = []
    copies: set[int] = set()
    last = len(tables) - 1
    if len(groups) == 1 and last:
        values = {"count": len(tables)}
        everything = Finding("repeated", tuple(steps), values, text="repeated_all", of=steps[-1])
        return Repeats([everything], frozenset())
    rounded = _find_rounded(tables)
    for group in groups.values():
        if len(group) == 1 or steps[group[0]] in rounded:
            continue
        if group[-1] - group[0] + 1 == len(group):
            held = tuple(steps[at] for at in group)
            values = {"count": len(group), "steps": Steps(held, steps)}
            findings.append(Finding("still", held, values, severity="note", of=held[0]))
            continue
        genuine = last if group[-1] == last else min(group, key=lambda at: _gap(tables, at))
        others = tuple(steps[at] for at in group if at != genuine)
        copies.update(others)
        findings.append(_tell_copies(others, steps[genuine], steps))
    for of in sorted(set(rounded.values())):
        held = tuple(step for step, its in rounded.items() if its == of)
        findings.append(Finding("rounded", held, _naming(held, of, steps), of=of))
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
    values = _naming(copies, genuine, steps) | {
        "start": Part("start", {"step": steps[0]}) if copies[0] == steps[0] else NOTHING,
        "count": len(copies) + 1,
        "all": len(steps),
    }
    text = "repeated_one" if len(copies) == 1 else "repeated_many"
    return Finding("repeated", copies, values, text=text, of=genuine)


def _naming(held: tuple[int, ...], of: int, steps: Sequence[int]) -> dict[str, SentenceValue]:
    return {"steps": Steps(held, steps), "of": of, "last": Part("last") if of == steps[-1] else NOTHING}


def _find_rounded(tables: Sequence[TableSummary]) -> dict[int, int]:
    """Return the steps that hold a finer table of another step in a coarser format, with that step.

    A training that stands still while its format changes is right: from fine to coarse as of a step, and from coarse to
    fine. A step that is coarse before the table is fine, amid fine ones, is not.
    """
    found: dict[int, int] = {}
    for at, table in enumerate(tables):
        for place, finer in enumerate(tables):
            if table.sampled == finer.sampled or table.sampled not in finer.rounded:
                continue
            ends = sorted((at, place))
            stands = all(
                table.sampled in (one.sampled, *one.rounded) for one in tables[ends[0] + 1 : ends[1]]
            )
            before = tables[at - 1] if at else table
            if not stands or (at < place and before.sampled not in before.rounded):
                found[table.step] = finer.step
    return found


class _Lines(NamedTuple):
    """The sampled rows or columns of consecutive tables of one shape."""

    kind: str
    sketches: list[Floats]
    """The projected lines of each table, each of shape (N, k)."""
    hashes: NDArray[np.uint64]
    """Shape (M, T): of these lines, or of more of them."""


def _lines_of(tables: Sequence[TableSummary]) -> list[_Lines]:
    columns = [table.columns for table in tables]
    return [
        _Lines("rows", [one.sketch for one in tables], np.stack([one.row_hashes for one in tables], axis=1)),
        # The first two numbers of a column's sketch are as good as a hash.
        _Lines("columns", columns, np.stack([one[:, :2].copy().view(np.uint64)[:, 0] for one in columns], 1)),
    ]


_SHARE = 0.05
_LEAST_LINES = 8
_CLEARLY_MOVED = 0.02
_MAX_FINDINGS = 20


def find_returning_lines(tables: Sequence[TableSummary], detours: Collection[int]) -> list[Finding]:
    """Find pairs of steps that share many rows or columns which were others in between, as when a part of a file is another
    step's.

    A row that is never trained is the same at all steps, and is right. A row of low precision may lose and regain its last
    bit: so some of the rows, at least a twentieth of them, must have gone further in between than rounding explains.

    Args:
        tables: by step, without copies of whole tables; those in a row of one shape are compared.
        detours: the steps that are out of line, between which it is right that rows are as they were.
    """
    findings: list[Finding] = []
    for _, group in groupby(tables, key=lambda table: table.shape):
        alike = list(group)
        if len(alike) > 2:
            for lines in _lines_of(alike):
                findings += _find_returning(alike, lines, detours)
                findings += _find_stretches(alike, lines)
    return findings


def _find_returning(tables: Sequence[TableSummary], lines: _Lines, detours: Collection[int]) -> list[Finding]:
    hashes = lines.hashes
    order = np.argsort(hashes, axis=1, kind="stable")
    ordered = np.take_along_axis(hashes, order, axis=1)
    # In a row of equal hashes, the steps ascend: neighbours more than a step apart have another value between them.
    earlier, later = order[:, :-1], order[:, 1:]
    back = (ordered[:, :-1] == ordered[:, 1:]) & (later > earlier + 1)
    pairs, counts = np.unique(earlier[back] * len(tables) + later[back], return_counts=True)
    findings: list[Finding] = []
    for pair, count in sorted(zip(pairs.tolist(), counts.tolist(), strict=True), key=lambda one: -one[1]):
        share = count / len(hashes)
        if share < _SHARE or count < _LEAST_LINES or len(findings) == _MAX_FINDINGS:
            break
        ends = (pair // len(tables), pair % len(tables))
        first, second = (tables[at].step for at in ends)
        between = range(ends[0] + 1, ends[1])
        ends_are_right = first not in detours and second not in detours
        if ends_are_right and all(tables[at].step in detours for at in between):
            continue
        sketches = lines.sketches
        same = (sketches[ends[0]] == sketches[ends[1]]).all(axis=1)
        length = np.linalg.norm(sketches[ends[0]], axis=1)
        gone = np.max([_apart(lines, ends[0], at) for at in between], axis=0)
        if (same & (gone > _CLEARLY_MOVED * length)).sum() < max(2, _SHARE / 2 * len(same)):
            continue
        values = {"share": round(100 * share), "first": first, "second": second, "lines": Part(lines.kind)}
        findings.append(Finding("returned", (first, second), values, figures={"share": share}))
    return findings


_STRETCH = 0.1
_STRETCH_AT_END = 0.2
_SURE = 1e-6
_PACE = 1 / 3
_CAUGHT_UP, _CLEARER = 1.2, 1.5


def _find_stretches(tables: Sequence[TableSummary], lines: _Lines) -> list[Finding]:
    """Find steps of which a stretch of the rows or columns is the step before's or the step after's, as in a file that was
    written in part.

    Of the rows that move before and after, a tenth in a row stand still to the last bit, while those outside go on at their
    pace. Rows that are read seldom, or move less than their format shows, stand still one here and one there: were each
    as likely to stand still as those outside, the stretch would have a chance below one in a million. And the stretch catches up: it goes further in the
    step before or after than it does beside that, which mostly tells which of the two steps is wrong. At the end there is no step after, and a fifth of
    the rows is asked for.
    """
    ways = np.stack([_apart(lines, at, at + 1) for at in range(len(tables) - 1)])
    last = len(ways) - 1
    still = ways == 0
    gaps = np.diff([table.step for table in tables])
    findings: list[Finding] = []
    for at in range(1 if last > 1 else 2, len(ways)):
        around = ways[[at - 1, at - 2 if at == last else at + 1]].min(axis=0)
        active = np.flatnonzero(around > 0)
        begin, end = _longest_run(still[at, active])
        inside, outside = active[begin:end], np.delete(active, slice(begin, end))
        moving = np.flatnonzero(~still[at])
        share = len(inside) / max(1, len(active))
        if (
            share < (_STRETCH_AT_END if at == last else _STRETCH)
            or min(len(inside), len(moving)) < _LEAST_LINES
        ):
            continue
        # How likely a row is to stand still: its share of the other gaps that are no longer, with half a gap more.
        alike = gaps <= gaps[at]
        alone = (still[alike].sum(axis=0) - still[at] + 0.5) / alike.sum()
        usual = (int(still[at, outside].sum()) + 1) / (len(outside) + 2)
        chance = len(active) * float(np.exp(np.log(np.maximum(alone[inside], usual)).sum()))
        pace = float(np.median(ways[at, moving]) / np.median(around[active]))
        if chance > _SURE or pace < _PACE:
            continue
        pair = (tables[at].step, tables[at + 1].step)
        wrong = pair[1:]
        if at < last:
            before, after = (
                _lengthened(ways, one, two, inside, moving)
                for one, two in ((at - 1, at - 2), (at + 1, at + 2))
            )
            if max(before, after) < _CAUGHT_UP:
                continue
            wrong = pair[1:] if after > _CLEARER * before else pair[:1] if before > _CLEARER * after else pair
        values = {
            "before": pair[0],
            "after": pair[1],
            "share": round(100 * share),
            "lines": Part(lines.kind),
            "which": Part("which_step", {"step": wrong[0]}) if len(wrong) == 1 else Part("one_step"),
        }
        findings.append(Finding("written_in_part", wrong, values, figures={"share": share}))
    return findings


def _lengthened(
    ways: Floats, at: int, beside: int, inside: NDArray[np.int64], outside: NDArray[np.int64]
) -> float:
    """Return how much longer some rows' way is than their way beside it, in multiples of that of others."""
    if not 0 <= beside < len(ways):
        return 1.0
    found: list[float] = []
    for rows in (inside, outside):
        both = rows[(ways[at, rows] > 0) & (ways[beside, rows] > 0)]
        if not len(both):
            return 1.0
        found.append(float(np.median(ways[at, both] / ways[beside, both])))
    return found[0] / found[1]


def _apart(lines: _Lines, one: int, other: int) -> Floats:
    return np.linalg.norm(lines.sketches[one] - lines.sketches[other], axis=1)


def _longest_run(flags: NDArray[np.bool_]) -> tuple[int, int]:
    """Return where the longest run of true flags begins and ends."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    runs = edges.reshape(-1, 2)
    return tuple(runs[np.argmax(runs[:, 1] - runs[:, 0])].tolist()) if len(runs) else (0, 0)
