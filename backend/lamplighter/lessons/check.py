"""The check of a course folder: parts, words, translations, typed figures, and places on teacher's pages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from itertools import zip_longest
from pathlib import Path

from lamplighter.claims.gathering import read_moment
from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.build import build_corpus
from lamplighter.corpora.lexicon_parser import read_lexicon
from lamplighter.lessons.library import LANGUAGE, list_languages, read_folder
from lamplighter.lessons.numbers import Waiting, find_questions, missing_words, resolve_numbers
from lamplighter.lessons.part import LESSON_CORPORA, LessonCorpus, Part, Span, Stage
from lamplighter.lessons.teacher_page import TeacherPage, TeacherSection
from lamplighter.lessons.view_query import PLACE, parse_view_query, words_of_view
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.runfolder.run_folder import RunFolder

_CORPUS_NAMES: dict[LessonCorpus, str] = {
    "lamptown": "Lamptown",
    "novels": "the text of the novels",
    "modular": "the clock",
}
"""Their names in messages."""
_WHY: dict[Waiting, str] = {
    "step": "the run has not come to its step",
    "ended": "the run ended before its step",
    "measure": "there is no such number, or it is not measured yet",
    "button": "its button has not been pressed (lamplighter examine RUN --prepare lessons)",
    "answer": "its question is not answered (lamplighter examine RUN --prepare lessons), or the answer has no such number",
}
_SENTENCES = ("sentence", "other_sentence", "prompt", "into", "source")
"""Fields of a question that hold words of the run."""


def list_problems(folder: Path, ours: Mapping[int, Part] | None = None) -> list[str]:
    """Return the problems of the texts in a folder, in all its languages, one per line. `ours`: the English
    parts that the folder overlays; texts in other languages are compared with them where the folder has none.
    """
    found = {language: read_folder(folder, language) for language in list_languages(folder)}
    problems = [str(problem) for files in found.values() for problem in files.problems]
    if not any(files.parts or files.pages for files in found.values()) and not problems:
        problems.append(f"{folder.name}: there is no part in it: write files such as 01-start.md")
    english = {**(ours or {}), **found[LANGUAGE].parts}
    for language, files in found.items():
        for part in files.parts.values():
            name = f"part {part.number}" if language == LANGUAGE else f"part {part.number} in {language!r}"
            known = _words_of(part.corpus)
            unknown = dict.fromkeys(word for word in _named_words(part) if word not in known)
            problems += [f"{name}: {_CORPUS_NAMES[part.corpus]} has no word {word!r}" for word in unknown]
            if part.number in english and (difference := find_difference(english[part.number], part)):
                problems.append(f"{name}: {difference}")
        for page in files.pages.values():
            original = found[LANGUAGE].pages.get(page.number, page)
            told = [
                *_problems_of_page(page, {**english, **files.parts}),
                find_page_difference(original, page),
            ]
            problems += [
                f"teacher's page {page.number} in {language!r}: {problem}"
                for problem in dict.fromkeys(told)
                if problem
            ]
    return problems


def list_missing_aims(folder: Path) -> list[str]:
    """Return the parts of a folder, in all its languages, that lack an aim and are still shown."""
    return [
        f"part {part.number} in {language!r}: it has no aim: write aim: and what one can say afterwards, in a line"
        for language in list_languages(folder)
        for part in read_folder(folder, language).parts.values()
        if part.aim is None
    ]


def list_unknown_numbers(parts: Iterable[Part], run: RunFolder) -> list[str]:
    """Return the numbers named in parts of the course that a run, which has read its corpus, lacks."""
    moment, cache, problems = read_moment(run), LruCache(), list[str]()
    for part in parts:
        if lacking := missing_words(part, run.vocabulary):
            problems.append(f"part {part.number}: {run.id} does not know {', '.join(lacking)}")
            continue
        questions = find_questions(run, part, moment)
        for name, number in resolve_numbers(run, part, moment, questions, cache).items():
            if number.value is None:
                problems.append(
                    f"part {part.number}: {name} is unknown: {_WHY[number.waits_for or 'measure']}"
                )
    return problems


def find_difference(original: Part, translated: Part) -> str | None:
    """Return where two texts of a part show or measure different things; None if they do not."""
    if original.corpus != translated.corpus:
        return f"it is about {_CORPUS_NAMES[translated.corpus]}; the other text is about {_CORPUS_NAMES[original.corpus]}"
    if original.words != translated.words:
        return f"its words are {', '.join(translated.words)}; those of the other text are {', '.join(original.words)}"
    if len(original.stages) != len(translated.stages):
        return f"it has {len(translated.stages)} stages; the other text has {len(original.stages)}"
    for at, (one, other) in enumerate(zip(original.stages, translated.stages, strict=True), start=1):
        if _shown(one) != _shown(other):
            return f"stage {at} has another kind, view, number or examination than that of the other text"
    return None


def find_page_difference(original: TeacherPage, translated: TeacherPage) -> str | None:
    """Return where two texts of a teacher's page teach different things; None if they do not."""
    for at, (one, other) in enumerate(zip_longest(original.sections, translated.sections), start=1):
        if one is None or other is None or _taught(one) != _taught(other):
            return f"section {at} has other blocks, rows, addresses or numbers than that of the other text"
    return None


def _taught(section: TeacherSection) -> tuple[object, ...]:
    """Return the form of a section, its addresses and its numbers, independent of its language."""
    return (
        section.worksheet,
        [(block.kind, [[_named_in(cell) for cell in row] for row in block.rows]) for block in section.blocks],
    )


def _named_in(spans: Iterable[Span]) -> tuple[list[str], list[str]]:
    """Return the views that a text leads to and the numbers it names, in an order independent of its language."""
    spans = list(spans)
    return (
        sorted(span.view for span in spans if span.view),
        sorted(f"{span.number.text}|{span.form}" for span in spans if span.number),
    )


def _shown(stage: Stage) -> tuple[object, ...]:
    """Return what a stage shows, asks and measures, independent of its language."""
    asked = stage.prediction
    return (
        stage.kind,
        stage.view,
        stage.reached,
        stage.examination,
        asked
        and (
            asked.number,
            asked.form,
            asked.least,
            asked.most,
            tuple(choice.value for choice in asked.choices),
        ),
        _named_in(span for block in stage.blocks for line in block.lines for span in line),
    )


def _named_words(part: Part) -> Iterator[str]:
    """Yield the words that a part needs, looks at, or gives the model."""
    yield from part.words
    for name in part.numbers:
        if name.kind == "word":
            yield name.parts[1]
    links = (
        span.view for stage in part.stages for block in stage.blocks for line in block.lines for span in line
    )
    for query in (*links, *(stage.view for stage in part.stages)):
        if query:
            yield from words_of_view(parse_view_query(query))
    for stage in part.stages:
        for key, word in (stage.examination.fields if stage.examination else {}).items():
            if key in _SENTENCES and isinstance(word, str):
                yield from word.split()


def _problems_of_page(page: TeacherPage, parts: Mapping[int, Part]) -> Iterator[str]:
    part = parts.get(page.number)
    if page.number and part is None:
        yield f"there is no part {page.number}: give the page its part's number, or 00 to be read before the first"
    known = {name.text for name in part.numbers} if part else set[str]()
    corpus = part.corpus if part else LESSON_CORPORA[0]
    for span in page.spans():
        if span.number and span.number.text not in known:
            yield f"{span.number.text} is no number that the part itself names: only those are told here"
        if span.view is None:
            continue
        view = parse_view_query(span.view, with_place=True)
        place = PLACE.fullmatch(view.get("lesson", ""))
        if place and (int(place[1]) not in parts or int(place[2] or 1) > len(parts[int(place[1])].stages)):
            yield f"the course has no {place[0]}, which {span.view} opens"
        for word in words_of_view(view):
            if word not in _words_of(corpus):
                yield f"{_CORPUS_NAMES[corpus]} has no word {word!r}"


@cache
def _words_of(corpus: LessonCorpus) -> frozenset[str]:
    """Return the words that a run on a text of the course knows. Counting those of the novels takes a second."""
    if corpus == "lamptown":
        return read_lexicon().words()
    recipe = Recipe.model_validate({"corpus": {"kind": corpus}})
    return frozenset(build_corpus(recipe.corpus, 0).vocabulary.tokens)


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
