"""The findings of a check, as sentences, as lines and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lamplighter.client.histories.sentences import LANGUAGES, Told, tell
from lamplighter.runfolder.loop_facts import MAX_HISTORY_BYTES

Severity = Literal["problem", "note"]


@dataclass(frozen=True)
class Finding:
    """A fault of some steps of a history, or a fact worth knowing about them."""

    code: str
    """Names the check, for programs: `repeated`, `rounded`, `returned`, `written_in_part`, `out_of_line`, `swapped`,
    `shifted`, `rescaled`, `reversed`, `not_descended`, `still`, `resized`, `missing`, `not_finite`, `other_shape`,
    `other_tokens`, `other_order`, `unreadable`."""
    severity: Severity
    """A problem is damage or a change of the table between two steps; a note may come from training as it goes."""
    steps: tuple[int, ...]
    """The steps that it is about, ascending."""
    text: str
    """The key of its sentence in `TEXTS`."""
    values: Mapping[str, Told]
    """The values of the sentence, by the names in it."""
    of: int | None = None
    """The step whose table the others hold, if they hold one."""
    figures: Mapping[str, float] = field(default_factory=dict[str, float])
    """The measured numbers."""

    @property
    def sentence(self) -> str:
        return tell(self.text, self.values, "en")

    def as_json(self) -> dict[str, Any]:
        return self._facts() | {"figures": dict(self.figures), "sentence": self.sentence}

    def as_fact(self) -> dict[str, Any]:
        """Return the finding as an object for the page, with its sentence in each language."""
        sentences = {code: tell(self.text, self.values, code) for code in LANGUAGES}
        return self._facts() | {
            "sentence": {code: one[:1].upper() + one[1:] for code, one in sentences.items()}
        }

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"code": self.code, "severity": self.severity, "steps": list(self.steps)}
        return facts if self.of is None else facts | {"of": self.of}


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
        return [finding for finding in self.findings if finding.severity == "problem"]

    def lines(self) -> list[str]:
        notes = len(self.findings) - len(self.problems)
        told = f"{_count(len(self.problems), 'problem')}, {_count(notes, 'note')}"
        head = (
            f"checked {_count(len(self.steps), 'checkpoint')}: {told if self.findings else 'nothing found'}"
        )
        return [head, *(f"  {finding.severity}: {finding.sentence}" for finding in self.findings)]

    def as_json(self) -> dict[str, Any]:
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
