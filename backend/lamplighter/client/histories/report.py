"""The findings of a check: as sentences in each language of the page, as lines, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

from lamplighter.runfolder.loop_facts import MAX_HISTORY_BYTES

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "repeated_all": "nothing moves: all {count} checkpoints hold the same table",
        "repeated_one": "{steps} is, number for number, step {of}{last}",
        "repeated_many": "{count} of {all} checkpoints hold, number for number, the table of step {of}{last}{start}: {steps}",
        "still": "{count} checkpoints in a row, {steps}, hold the same table: it stood still, as a frozen table or a learning"
        " rate of zero would, or was copied",
        "rounded": "{steps}: the table of step {of}{last}, but for rounding",
        "returned": "about {share} % of the {lines} of step {first} are back at step {second}, number for number, and were"
        " others in between",
        "written_in_part": "steps {before} and {after} share about {share} % of the {lines}, in one stretch, which move before and"
        " after: {which} was written in part",
        "which_step": "step {step}",
        "one_step": "one of the two",
        "swapped": "steps {first} and {second}: each fits in the other's place, so they are swapped",
        "shifted": "from step {before} to step {after}, about {share} % of the rows change places by {places}, row {row} for one"
        " becomes row {place}: as with another list of tokens",
        "rescaled": "from step {before} to step {after}, all rows are {factor} times as long and keep their directions: from there"
        " on the table has another unit",
        "reversed": "the last step, {last}, looks like a table of random numbers before training, and the first, {first}, like a"
        " trained one: the order is reversed",
        "resized": "from step {before} to step {after}, the table goes from {rows_before} to {rows} rows; the rows in common are"
        " compared",
        "rows": "rows",
        "columns": "columns",
        "out_of_line": "{steps}: out of line, with a median cosine of {cosine_before} and {cosine_after} to steps {before} and"
        " {after}, which have {cosine_across} to each other, and a median length of {norm} between {norm_before} and"
        " {norm_after}",
        "not_descended": "step {before} shares nothing with step {after}: the later steps do not descend from it",
        "broken_off": "step {after} shares nothing with step {before}: it goes on from another table",
        "missing": "the steps lie on a grid that lacks {count} of them: {steps}{more}",
        "other_shape": "step {step} has a table of {rows} x {width}, and step {first} one of {first_rows} x {first_width}",
        "not_finite": "step {step}: in {count} of the rows are values that are not finite numbers, first in row {row}",
        "other_order": "step {step} has its tokens in another order than step {first}",
        "other_tokens": "step {step} has other tokens than step {first}",
        "unreadable": "step {step} cannot be read: {why}",
        "last": ", the last",
        "start": ", step {step} among them",
        "more": " and {count} more",
        "step": "step",
        "steps": "steps",
        "and": " and ",
        "to": " to ",
    },
    "de": {
        "repeated_all": "nichts bewegt sich: alle {count} Checkpoints enthalten dieselbe Tabelle",
        "repeated_one": "{steps} ist Zahl für Zahl Schritt {of}{last}",
        "repeated_many": "{count} von {all} Checkpoints enthalten Zahl für Zahl die Tabelle von Schritt {of}{last}{start}: {steps}",
        "still": "{count} Checkpoints hintereinander, {steps}, enthalten dieselbe Tabelle: Sie stand still, wie es eingefroren oder"
        " mit der Lernrate null wäre, oder wurde kopiert",
        "rounded": "{steps}: bis auf Rundung die Tabelle von Schritt {of}{last}",
        "returned": "etwa {share} % der {lines} von Schritt {first} sind bei Schritt {second} Zahl für Zahl wieder da und waren"
        " dazwischen andere",
        "written_in_part": "die Schritte {before} und {after} haben etwa {share} % der {lines} am Stück gemeinsam, die sich davor und"
        " danach bewegen: {which} wurde nur zum Teil geschrieben",
        "which_step": "Schritt {step}",
        "one_step": "einer von beiden",
        "swapped": "Schritte {first} und {second}: Jeder passt an die Stelle des anderen, sie sind vertauscht",
        "shifted": "von Schritt {before} zu Schritt {after} rücken etwa {share} % der Zeilen um {places} weiter oder zurück, etwa Zeile"
        " {row} an die Stelle {place}: wie mit einer anderen Liste der Tokens",
        "rescaled": "von Schritt {before} zu Schritt {after} werden alle Zeilen {factor}-mal so lang und behalten ihre Richtung: Ab da"
        " hat die Tabelle eine andere Einheit",
        "reversed": "der letzte Schritt, {last}, sieht aus wie Zufallszahlen vor dem Training, der erste, {first}, wie eine trainierte"
        " Tabelle: Die Reihenfolge ist umgekehrt",
        "resized": "von Schritt {before} zu Schritt {after} wächst oder schrumpft die Tabelle von {rows_before} auf {rows} Zeilen;"
        " verglichen werden die gemeinsamen",
        "rows": "Zeilen",
        "columns": "Spalten",
        "out_of_line": "{steps}: fällt aus der Reihe, mit einem mittleren Kosinus von {cosine_before} und {cosine_after} zu den"
        " Schritten {before} und {after}, die zueinander {cosine_across} haben, und einer mittleren Länge von {norm}"
        " zwischen {norm_before} und {norm_after}",
        "not_descended": "Schritt {before} hat mit Schritt {after} nichts gemeinsam: Die späteren Schritte stammen nicht von ihm ab",
        "broken_off": "Schritt {after} hat mit Schritt {before} nichts gemeinsam: Er setzt eine andere Tabelle fort",
        "missing": "die Schritte liegen auf einem Raster, in dem {count} fehlen: {steps}{more}",
        "other_shape": "Schritt {step} hat eine Tabelle von {rows} x {width}, Schritt {first} eine von {first_rows} x {first_width}",
        "not_finite": "Schritt {step}: In {count} der Zeilen stehen Werte, die keine endlichen Zahlen sind, zuerst in Zeile {row}",
        "other_order": "Schritt {step} hat seine Tokens in anderer Reihenfolge als Schritt {first}",
        "other_tokens": "Schritt {step} hat andere Tokens als Schritt {first}",
        "unreadable": "Schritt {step} lässt sich nicht lesen: {why}",
        "last": ", dem letzten",
        "start": ", darunter Schritt {step}",
        "more": " und {count} weitere",
        "step": "Schritt",
        "steps": "Schritte",
        "and": " und ",
        "to": " bis ",
    },
}


LANGUAGES = tuple(TEXTS)
_MAX_RANGES = 8


@dataclass(frozen=True)
class Part:
    """A part of a sentence that only some sentences have."""

    text: str
    values: Mapping[str, SentenceValue] = field(default_factory=dict["str", "SentenceValue"])


NOTHING = Part("")


@dataclass(frozen=True)
class Steps:
    """Steps to be named, neighbours joined: "steps 0 to 512, 1,000 and 3,000"."""

    steps: Sequence[int]
    """Ascending, at least one."""
    among: Sequence[int]
    """All the steps of the history, ascending."""
    is_named: bool = True
    """Whether the word "step" comes before them."""


SentenceValue = int | float | str | Part | Steps
"""A value in a sentence; a float is told with three digits."""


def tell(text: str, values: Mapping[str, SentenceValue], language: str) -> str:
    if not text:
        return ""
    return TEXTS[language][text].format_map(
        {name: _tell_value(value, language) for name, value in values.items()}
    )


def _tell_value(value: SentenceValue, language: str) -> str:
    match value:
        case Part():
            return tell(value.text, value.values, language)
        case Steps():
            return _name_steps(value, language)
        case str():
            return value
        case _:
            told = f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
            return told.translate(str.maketrans(",.", ".,")) if language == "de" else told


def _name_steps(named: Steps, language: str) -> str:
    words = TEXTS[language]
    place = {step: at for at, step in enumerate(named.among)}
    ranges: list[list[int]] = []
    for step in named.steps:
        if ranges and place[step] == place[ranges[-1][-1]] + 1:
            ranges[-1].append(step)
        else:
            ranges.append([step])
    parts: list[str] = []
    for some in ranges[:_MAX_RANGES]:
        ends = [_tell_value(step, language) for step in (some if len(some) < 3 else (some[0], some[-1]))]
        parts += [words["to"].join(ends)] if len(some) > 2 else ends
    more = sum(map(len, ranges[_MAX_RANGES:]))
    if more:
        listed = ", ".join(parts) + tell("more", {"count": more}, language)
    else:
        listed = words["and"].join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    word = words["step" if len(named.steps) == 1 else "steps"]
    return f"{word} {listed}" if named.is_named else listed


Severity = Literal["problem", "note"]


@dataclass(frozen=True)
class Finding:
    """A fault of some steps of a history, or a fact worth knowing about them."""

    code: str
    """Names the check, for programs: `repeated`, `rounded`, `returned`, `written_in_part`, `out_of_line`, `swapped`,
    `shifted`, `rescaled`, `reversed`, `not_descended`, `still`, `resized`, `missing`, `not_finite`, `other_shape`,
    `other_tokens`, `other_order`, `unreadable`."""
    steps: tuple[int, ...]
    """The steps that it is about, ascending."""
    values: Mapping[str, SentenceValue]
    """The values of its sentence, by the names in it."""
    _: KW_ONLY
    text: str = ""
    """The key of its sentence in `TEXTS`; empty: its code."""
    severity: Severity = "problem"
    """A problem is damage or a change of the table between two steps; a note may come from training as it goes."""
    of: int | None = None
    """The step whose table the others hold, if they hold one."""
    figures: Mapping[str, float] = field(default_factory=dict[str, float])
    """The measured numbers."""

    @property
    def sentence(self) -> str:
        return self._say("en")

    def _say(self, language: str) -> str:
        return tell(self.text or self.code, self.values, language)

    def as_json(self) -> dict[str, Any]:
        return self._facts() | {"figures": dict(self.figures), "sentence": self.sentence}

    def as_fact(self) -> dict[str, Any]:
        """Return the finding as an object for the page, with its sentence in each language."""
        sentences = {code: self._say(code) for code in LANGUAGES}
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
