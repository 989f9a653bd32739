"""The findings of a check, as lines and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lamplighter.client.histories.finding import Finding
from lamplighter.runfolder.loop_facts import MAX_HISTORY_BYTES


@dataclass(frozen=True)
class CheckedTable:
    """The figures of one step, as the report gives them."""

    step: int
    median_norm: float
    moved: float | None
    """The share of rows that differ from the table before."""
    cosine_to_first: float
    cosine_to_before: float | None


@dataclass(frozen=True)
class HistoryReport:
    """The findings about a history, problems first, and the figures of each table that was read."""

    steps: tuple[int, ...]
    findings: tuple[Finding, ...]
    tables: tuple[CheckedTable, ...]

    @property
    def problems(self) -> list[Finding]:
        """Return the findings that training as it goes cannot make."""
        return [finding for finding in self.findings if finding.severity == "problem"]

    def lines(self) -> list[str]:
        """Return the report as lines for a terminal."""
        notes = len(self.findings) - len(self.problems)
        told = f"{_count(len(self.problems), 'problem')}, {_count(notes, 'note')}"
        head = (
            f"checked {_count(len(self.steps), 'checkpoint')}: {told if self.findings else 'nothing found'}"
        )
        return [head, *(f"  {finding.severity}: {finding.sentence}" for finding in self.findings)]

    def as_json(self) -> dict[str, Any]:
        """Return the report as an object for JSON."""
        return {
            "checkpoints": len(self.steps),
            "steps": list(self.steps),
            "problems": len(self.problems),
            "findings": [finding.as_json() for finding in self.findings],
            "tables": [vars(table) for table in self.tables],
        }

    def as_fact(self) -> dict[str, Any]:
        """Return what is kept with a run: the findings, as many as `MAX_HISTORY_BYTES` hold, problems first."""
        kept: list[dict[str, Any]] = []
        size = 200
        for finding in self.findings:
            told = finding.as_fact()
            size += len(json.dumps(told).encode()) + 2
            if size > MAX_HISTORY_BYTES:
                break
            kept.append(told)
        return {"checkpoints": len(self.steps), "problems": len(self.problems), "findings": kept}


def sort_findings(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings with problems first, and each kind by its first step."""
    return tuple(sorted(findings, key=lambda one: (one.severity != "problem", one.steps[:1])))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
