"""The check of a course folder: parts, words, translations, and the places on teacher's pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
    """Return the problems of the texts in a folder, in all its languages, one per line.

    `ours`: the English parts that the folder overlays; texts in other languages are compared with them where
    the folder has none.
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
    """Return the parts of a folder, in all its languages, that lack an aim, one per line. They are still
    shown.
    """
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
