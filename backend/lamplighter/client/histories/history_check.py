"""A check of a history: tables go in by step, a report comes out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from lamplighter.client.histories.descent import find_breaks
from lamplighter.client.histories.detours import find_detours
from lamplighter.client.histories.finding import Finding
from lamplighter.client.histories.gaps import find_missing_steps
from lamplighter.client.histories.repeats import find_repeats
from lamplighter.client.histories.report import CheckedTable, HistoryReport, sort_findings
from lamplighter.client.histories.returns import find_returning_rows
from lamplighter.client.histories.sentences import Told
from lamplighter.client.histories.summarizer import Summarizer, split_rows
from lamplighter.client.histories.table_summary import TableSummary, median_cosine
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
