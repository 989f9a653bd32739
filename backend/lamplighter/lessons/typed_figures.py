"""Figures typed into a course text instead of named: foreign steps, decimals and percentages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from lamplighter.lessons.library import list_languages, read_folder
from lamplighter.lessons.part import Part, Span, Stage
from lamplighter.lessons.teacher_page import TeacherPage

_STEP = re.compile(
    r"\b(?:step|Schritt)\s(\d[\d,]*)|(?<![\d,])(\d[\d,]*)\s(?:[\w'’]+\s){0,2}(?:steps|Schritten?)\b",
    re.IGNORECASE,
)
_CITATION = re.compile(r"\b(?:table|section|Tabelle|Abschnitt)\s[\w.]+")
_MEASURED = re.compile(r"(?<![\w.,:])(?:\d+\.\d+|\d+,\d{1,2}\b|\d+(?=\s?(?:%|percent\b|Prozent\b)))")
_ENDS_OF_A_SCALE = ("0", "100")
_DIGITS = re.compile(r"\d+")


def list_typed_figures(folder: Path, ours: Mapping[int, Part] | None = None) -> list[str]:
    """Return the figures typed into the texts of a folder instead of named, in all its languages, one per
    line: another run may contradict them. The texts are still shown. `ours`: the English parts that the
    folder overlays.
    """
    problems: list[str] = []
    parts = {**(ours or {}), **read_folder(folder).parts}
    for language in list_languages(folder):
        found = read_folder(folder, language)
        problems += [
            f"part {part.number} in {language!r}: {typed}"
            for part in found.parts.values()
            for typed in _typed_in_part(part)
        ]
        told = {**parts, **found.parts}
        places = {f"{number}.{at}" for number, part in told.items() for at in range(1, len(part.stages) + 1)}
        problems += [
            f"teacher's page {page.number} in {language!r}: {typed}"
            for page in found.pages.values()
            for typed in _typed_in_page(page, told.get(page.number), places)
        ]
    return problems


def _typed_in_part(part: Part) -> list[str]:
    steps = _steps_of(part)
    return [
        f"stage {at} types {figure}"
        for at, stage in enumerate(part.stages, start=1)
        for figure in dict.fromkeys(_find_typed(_lines_of(stage), steps, ()))
    ]


def _typed_in_page(page: TeacherPage, part: Part | None, places: Collection[str]) -> list[str]:
    """Return the typed figures of a teacher's page about `part`, or of the page before the first (None).

    `places`: stages of the course, as pages write them: `1.10`.
    """
    lines = (
        _text_of(cell)
        for section in page.sections
        for block in section.blocks
        for row in block.rows
        for cell in row
    )
    typed = _find_typed(lines, _steps_of(part) if part else (), places)
    return [f"it types {figure}" for figure in dict.fromkeys(typed)]


def _find_typed(lines: Iterable[str], steps: Collection[int], places: Collection[str]) -> Iterator[str]:
    for line in lines:
        for found in _STEP.finditer(line):
            number = (found[1] or found[2]).replace(",", "")
            if int(number) not in steps:
                yield f"step {number}, which the part does not look at"
        for found in _MEASURED.finditer(_CITATION.sub("", line)):
            if found[0] not in _ENDS_OF_A_SCALE and found[0] not in places:
                yield f"{found[0]}: write the {{name}} of a number that the run has measured"


def _steps_of(part: Part) -> set[int]:
    """Return the steps that a part looks at or asks for: the integers in its views, questions and names."""
    told = [name.text for name in part.numbers]
    for stage in part.stages:
        links = [span.view for block in stage.blocks for line in block.lines for span in line]
        told += [view for view in (stage.view, *links) if view]
        told.append(str(stage.reached))
        if stage.examination is not None:
            told += [str(value) for value in (stage.examination.step, *stage.examination.fields.values())]
    return {int(number) for text in told for number in _DIGITS.findall(text)}


def _lines_of(stage: Stage) -> Iterator[str]:
    yield stage.title
    if stage.prediction is not None:
        yield stage.prediction.text
    for block in stage.blocks:
        if block.kind != "formula":
            yield from map(_text_of, block.lines)


def _text_of(spans: Iterable[Span]) -> str:
    """Return the text of a line, with a placeholder for each number it names."""
    return "".join("…" if span.number else span.text for span in spans)
