"""A check of a history: tables go in by step, a report comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import chain, islice, pairwise

import numpy as np

from lamplighter.client.histories.descent import find_breaks
from lamplighter.client.histories.repeats import find_repeats, find_returning_lines
from lamplighter.client.histories.report import (
    NOTHING,
    CheckedTable,
    Finding,
    HistoryReport,
    Part,
    SentenceValue,
    Steps,
    sort_findings,
)
from lamplighter.client.histories.table_summary import (
    Summarizer,
    TableSummary,
    distance,
    keep_common_rows,
    median_cosine,
    split_rows,
)
from lamplighter.wire.binary import Floats
from lamplighter.wire.row_source import RowSource


class HistoryCheck:
    """The checks of one history. Memory: some 350 kB a table, 8 bytes a row of the newest, and a block."""

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._tables: list[TableSummary] = []
        self._findings: list[Finding] = []
        self._summarizer = Summarizer()
        self._tokens: tuple[str, ...] | None = None
        self._told: tuple[str, ...] | None = None
        self._first_of_tokens = 0

    def add_matrix(self, step: int, matrix: RowSource) -> None:
        rows, width = matrix.shape
        self.add_table(step, (rows, width), split_rows(matrix))

    def add_table(self, step: int, shape: tuple[int, int], blocks: Iterable[Floats]) -> None:
        """Take the table of the next step, whose shape is (V, D), as blocks of rows in contiguous float32."""
        self._steps.append(step)
        table = self._summarizer.summarize(step, shape, blocks)
        self._tables.append(table)
        if table.first_bad is not None:
            values = {"step": step, "count": table.bad_rows, "row": table.first_bad}
            figures = {"rows": float(table.bad_rows)}
            self._findings.append(Finding("not_finite", (step,), values, figures=figures))

    def add_tokens(self, step: int, tokens: tuple[str, ...]) -> None:
        """Take the tokens of a step's rows, by id. What changes is told at the first step that has it."""
        if self._tokens is None:
            self._tokens, self._first_of_tokens = tokens, step
        elif tokens not in (self._told, self._tokens):
            self._told = tokens
            both = min(len(tokens), len(self._tokens))
            if tokens[:both] == self._tokens[:both]:
                # Tokens at the end came or went, which the sizes of the tables tell.
                return
            same = len(tokens) == len(self._tokens) and set(tokens) == set(self._tokens)
            code = "other_order" if same else "other_tokens"
            values = {"step": step, "first": self._first_of_tokens}
            self._findings.append(Finding(code, (step,), values))

    def add_unreadable(self, step: int, why: str) -> None:
        self._steps.append(step)
        self._findings.append(Finding("unreadable", (step,), {"step": step, "why": why}))

    def report(self) -> HistoryReport:
        steps = sorted(self._steps)
        findings = [*self._findings, *find_missing_steps(steps)]
        tables, shapes = _choose_comparable(self._tables)
        findings += shapes
        if len(tables) > 1:
            repeats = find_repeats(tables)
            genuine = [one for one in tables if one.step not in repeats.copies and not one.bad_rows]
            detours = find_detours(genuine)
            aside = {step for finding in detours for step in finding.steps}
            detours += _find_swaps(genuine, aside)
            aside |= {step for finding in detours for step in finding.steps}
            straight = [table for table in genuine if table.step not in aside]
            findings += [
                *repeats.findings,
                *detours,
                *find_returning_lines(genuine, aside),
                *find_breaks(straight),
            ]
        return HistoryReport(tuple(steps), sort_findings(findings), tuple(_describe(tables)))


def _describe(tables: Sequence[TableSummary]) -> Iterable[CheckedTable]:
    previous = [None, *(median_cosine(before, after) for before, after in pairwise(tables))]
    for table, cosine in zip(tables, previous, strict=False):
        to_first = median_cosine(tables[0], table)
        yield CheckedTable(table.step, table.median_norm, table.moved, to_first, cosine)


def _choose_comparable(tables: Sequence[TableSummary]) -> tuple[list[TableSummary], list[Finding]]:
    """Return the tables that can be compared, by the rows that all have, and findings about their shapes.

    They have the width that most have. A step whose neighbours have one size, and it another, is left out and a problem;
    any other change of size is a note.
    """
    findings: list[Finding] = []
    width = Counter(table.shape[1] for table in tables).most_common(1)[0][0] if tables else 0
    kept: list[TableSummary] = []
    for at, table in enumerate(tables):
        around = {one.shape for one in (*tables[at - 1 : at], *tables[at + 1 : at + 2])} if at else set()
        is_alone = 0 < at < len(tables) - 1 and len(around) == 1 and table.shape not in around
        if table.shape[1] == width and not is_alone:
            kept.append(table)
            continue
        other = next(one for one in tables if one.shape[1] == width and one is not table)
        values: dict[str, SentenceValue] = {
            "step": table.step,
            "rows": table.shape[0],
            "width": table.shape[1],
        }
        values |= {"first": other.step, "first_rows": other.shape[0], "first_width": width}
        findings.append(Finding("other_shape", (table.step,), values))
    for before, after in pairwise(kept):
        if before.shape != after.shape:
            values = {"before": before.step, "after": after.step}
            values |= {"rows_before": before.shape[0], "rows": after.shape[0]}
            findings.append(Finding("resized", (after.step,), values, severity="note"))
    return keep_common_rows(kept), findings


_RATIO = 3.0
_CLEARLY_MOVED = 0.02
_SHARE = 0.1
_TIMES_USUAL = 5.0
_LEAST_ROWS = 8
_FAR_RATIO, _FEW = 10.0, 0.02
_MAX_LENGTH = 3


def find_detours(tables: Sequence[TableSummary]) -> list[Finding]:
    """Find one to three steps that lie apart from both their neighbours in time, which lie near each other.

    For each sampled row, the way there and the way back (the shorter of the two) are compared with the way between the
    neighbours. Training that drifts makes the ratio 0.5, a random walk 0.7, pure noise around a point 1, at any
    learning rate and any spacing of the checkpoints; a spike of the learning rate leads away and not back to where it
    was. A row counts from a ratio of 3, if it moved further than rounding does. A step is out of
    line if a tenth of the rows count, or one in fifty from a ratio of 10, and five times the share that is usual in this
    history: the median over its steps, so that one that swings as a whole, at a learning rate that is too large, is not
    taken for a row of errors. Rows that are the same before and after, and move at other times, were put back:
    `find_returning_lines` tells of them. The last step alone is no witness, as it may be an average of those before:
    the way to the one before it must be twice as long as the way before that.

    Args:
        tables: by step, of one shape, without copies.
    """
    found: dict[tuple[int, int], float] = {}
    taken: set[int] = set()
    near = [distance(a, b) for a, b in pairwise(tables)]
    lengths = [np.linalg.norm(table.sketch, axis=1) for table in tables]
    last = len(tables) - 1
    for length in range(1, _MAX_LENGTH + 1):
        shares: dict[int, tuple[float, float]] = {}
        for at in range(1, len(tables) - length):
            direct = distance(tables[at - 1], tables[at + length])
            around = near[max(0, at - 2) : at - 1] + near[at + length : at + length + 1]
            moves = np.any([way > 0 for way in around], axis=0) if around else np.zeros(len(direct), bool)
            detour = np.minimum(near[at - 1], near[at + length - 1])
            counts = (detour > _CLEARLY_MOVED * lengths[at - 1]) & ~((direct == 0) & moves)
            if at + length == last and at > 1:
                counts &= near[at - 1] > 2 * near[at - 2]
            shares[at] = (
                float(np.mean(counts & (detour > _RATIO * direct))),
                float(np.mean(counts & (detour > _FAR_RATIO * direct))),
            )
        usual = np.median(list(shares.values()), axis=0) if shares else np.zeros(2)
        least = np.maximum(_TIMES_USUAL * usual, np.maximum((_SHARE, _FEW), _LEAST_ROWS / len(lengths[0])))
        for at, share in sorted(shares.items(), key=lambda one: -one[1][0]):
            own = set(range(at, at + length))
            if (np.array(share) >= least).any() and not taken & own:
                found[at, length] = share[0]
                taken |= own
    return [_tell(tables, at, length, share) for (at, length), share in sorted(found.items())]


_NEARER, _SWAPPED = 0.8, 0.4


def _find_swaps(tables: Sequence[TableSummary], detours: Collection[int]) -> list[Finding]:
    """Find neighbours in time that would fit in the other order.

    A row counts if the first of two steps is nearer to the step after them than the second is, and the second nearer to the
    step before them: each to 0.8 on average, where steady drift gives 0.5 and a random walk 0.7. Four rows of ten must
    count, and five times as many as is usual in this history.
    """
    shares: dict[int, float] = {}
    for at in range(1, len(tables) - 2):
        before, first, second, after = tables[at - 1 : at + 3]
        turned = distance(before, second) * distance(first, after)
        shares[at] = float(np.mean(turned < _NEARER**2 * distance(before, first) * distance(second, after)))
    least = max(_SWAPPED, _TIMES_USUAL * float(np.median([*shares.values()] or [1])))
    findings: list[Finding] = []
    taken = set(detours)
    for at in sorted(shares, key=lambda one: -shares[one]):
        steps = (tables[at].step, tables[at + 1].step)
        if shares[at] >= least and not taken & set(steps):
            taken |= set(steps)
            values = {"first": steps[0], "second": steps[1]}
            findings.append(Finding("swapped", steps, values, figures={"share": shares[at]}))
    return findings


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
    values: dict[str, SentenceValue] = {
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
    return Finding("out_of_line", steps, values, figures=figures)


_LEAST_REGULAR = 4
_MAX_TOLD, _MAX_NAMED = 1_000, 12


def find_missing_steps(steps: Sequence[int]) -> list[Finding]:
    """Find the steps that a grid of equal distances lacks, or one that doubles.

    It is a note, as its author may have chosen what to keep. A gap counts only within a grid: it is a multiple of the
    commonest distance, which the steps keep before and after it.

    Args:
        steps: ascending.
    """
    lacking = [*_missing_equal(steps), *_missing_doubled(steps)]
    count = sum(map(len, lacking))
    if not count:
        return []
    told = tuple(sorted(islice(chain.from_iterable(lacking), _MAX_TOLD)))
    values = {
        "count": count,
        "steps": Steps(told[:_MAX_NAMED], told, is_named=False),
        "more": Part("more", {"count": count - _MAX_NAMED}) if count > _MAX_NAMED else NOTHING,
    }
    return [Finding("missing", told, values, severity="note")]


def _missing_equal(steps: Sequence[int]) -> list[range]:
    gaps = [after - before for before, after in pairwise(steps)]
    if not gaps:
        return []
    usual, count = Counter(gaps).most_common(1)[0]
    if count < _LEAST_REGULAR:
        return []
    first, last = gaps.index(usual), len(gaps) - 1 - gaps[::-1].index(usual)
    return [
        range(steps[at] + usual, steps[at + 1], usual)
        for at in range(first, last)
        if gaps[at] > usual and gaps[at] % usual == 0
    ]


def _missing_doubled(steps: Sequence[int]) -> list[list[int]]:
    doubled = [step for step in steps if step > 0 and step & (step - 1) == 0]
    if len(doubled) < _LEAST_REGULAR:
        return []
    return [
        [before << shift for shift in range(1, after.bit_length() - before.bit_length())]
        for before, after in pairwise(doubled)
        # With other steps between two powers of two, the grid is not one that doubles.
        if not any(before < step < after for step in steps)
    ]
