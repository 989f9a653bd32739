"""A check of a history: tables go in by step, a report comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, islice, pairwise

import numpy as np

from lamplighter.client.histories.descent import find_breaks
from lamplighter.client.histories.repeats import find_repeats, find_returning_rows
from lamplighter.client.histories.report import CheckedTable, Finding, HistoryReport, sort_findings
from lamplighter.client.histories.sentences import NOTHING, Part, Steps, Told
from lamplighter.client.histories.table_summary import (
    Summarizer,
    TableSummary,
    distance,
    median_cosine,
    split_rows,
)
from lamplighter.wire.binary import Floats
from lamplighter.wire.row_source import RowSource


class HistoryCheck:
    """The checks of one history. Memory: some 350 kB a table, 8 bytes a row of the newest, and a block."""

    def __init__(self) -> None:
        """Start with no table."""
        self._steps: list[int] = []
        self._tables: list[TableSummary] = []
        self._findings: list[Finding] = []
        self._summarizer = Summarizer()
        self._tokens: tuple[str, ...] | None = None
        self._first_of_tokens = 0

    def add_matrix(self, step: int, matrix: RowSource) -> None:
        """Take the table of the next step, shape (V, D)."""
        rows, width = matrix.shape
        self.add_table(step, (rows, width), split_rows(matrix))

    def add_table(self, step: int, shape: tuple[int, int], blocks: Iterable[Floats]) -> None:
        """Take the table of the next step, whose shape is (V, D), as blocks of rows in contiguous float32."""
        self._steps.append(step)
        if self._tables and shape != self._tables[0].shape:
            values: dict[str, Told] = {"step": step, "rows": shape[0], "width": shape[1]}
            first_rows, first_width = self._tables[0].shape
            values |= {"first": self._tables[0].step, "first_rows": first_rows, "first_width": first_width}
            self._findings.append(Finding("other_shape", "problem", (step,), "other_shape", values))
            return
        table = self._summarizer.summarize(step, shape, blocks)
        self._tables.append(table)
        if table.first_bad is not None:
            values = {"step": step, "count": table.bad_rows, "row": table.first_bad}
            figures = {"rows": float(table.bad_rows)}
            self._findings.append(
                Finding("not_finite", "problem", (step,), "not_finite", values, figures=figures)
            )

    def add_tokens(self, step: int, tokens: tuple[str, ...]) -> None:
        """Take the tokens of a step's rows, by id."""
        if self._tokens is None:
            self._tokens, self._first_of_tokens = tokens, step
        elif tokens != self._tokens:
            same = len(tokens) == len(self._tokens) and set(tokens) == set(self._tokens)
            code = "other_order" if same else "other_tokens"
            values = {"step": step, "first": self._first_of_tokens}
            self._findings.append(Finding(code, "problem", (step,), code, values))

    def add_unreadable(self, step: int, why: str) -> None:
        """Take note of a checkpoint whose table cannot be read."""
        self._steps.append(step)
        values = {"step": step, "why": why}
        self._findings.append(Finding("unreadable", "problem", (step,), "unreadable", values))

    def report(self) -> HistoryReport:
        """Return what was found so far."""
        steps = sorted(self._steps)
        findings = [*self._findings, *find_missing_steps(steps)]
        if len(self._tables) > 1:
            repeats = find_repeats(self._tables)
            genuine = [one for one in self._tables if one.step not in repeats.copies and not one.bad_rows]
            detours = find_detours(genuine)
            aside = {step for finding in detours for step in finding.steps}
            straight = [table for table in genuine if table.step not in aside]
            findings += [
                *repeats.findings,
                *detours,
                *find_returning_rows(genuine, aside),
                *find_breaks(straight),
            ]
        return HistoryReport(tuple(steps), sort_findings(findings), tuple(self._describe_tables()))

    def _describe_tables(self) -> Iterable[CheckedTable]:
        previous = [None, *(median_cosine(before, after) for before, after in pairwise(self._tables))]
        for table, cosine in zip(self._tables, previous, strict=False):
            to_first = median_cosine(self._tables[0], table)
            yield CheckedTable(table.step, table.median_norm, table.moved, to_first, cosine)


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
    return [Finding("missing", "note", told, "missing", values)]


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
