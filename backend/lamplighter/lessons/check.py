"""The check of a folder of the course: what is no part, and words that Lamptown does not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from lamplighter.claims.figure_cache import FigureCache
from lamplighter.claims.gathering import read_moment
from lamplighter.corpora.lexicon_parser import read_lexicon
from lamplighter.lessons.library import read_folder
from lamplighter.lessons.numbers import Waiting, find_questions, missing_words, resolve_numbers
from lamplighter.lessons.part import Part
from lamplighter.lessons.view_query import TEXTS, WORDS, parse_view_query
from lamplighter.runfolder.run_folder import RunFolder

_WHY: dict[Waiting, str] = {
    "step": "the run has not come to its step",
    "ended": "the run ended before its step",
    "measure": "there is no such number, or it is not measured yet",
    "answer": "its question is not answered (lamplighter examine RUN --prepare lessons), or the answer has no such number",
}
_SENTENCES = ("sentence", "other_sentence", "prompt", "into", "source")
"""Fields of a question that hold words of the run."""


def list_problems(folder: Path) -> list[str]:
    """Return what is wrong with the texts in a folder, a line each.

    Raises:
        OSError: the folder cannot be read.
    """
    found = read_folder(folder)
    problems = [str(problem) for problem in found.problems]
    if not found.parts and not problems:
        problems.append(f"{folder.name}: there is no part in it: write files such as 01-start.md")
    words = read_lexicon().words()
    for part in found.parts.values():
        unknown = dict.fromkeys(word for word in _named_words(part) if word not in words)
        problems += [f"part {part.number}: Lamptown has no word {word!r}" for word in unknown]
    return problems


def list_unknown_numbers(parts: Iterable[Part], run: RunFolder) -> list[str]:
    """Return the numbers, named in parts of the course, that a run does not have, a line each. Its corpus has been read.

    Raises:
        FormatError: this version cannot read the run.
    """
    moment, cache, problems = read_moment(run), FigureCache(), list[str]()
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


def _named_words(part: Part) -> Iterator[str]:
    """Yield the words that a part needs, looks at, or says to the model."""
    yield from part.words
    for name in part.numbers:
        if name.kind == "word":
            yield name.parts[1]
    links = (
        span.view for stage in part.stages for block in stage.blocks for line in block.lines for span in line
    )
    for query in (*links, *(stage.view for stage in part.stages)):
        for key, word in parse_view_query(query).items() if query else ():
            if key in WORDS:
                yield word
            elif key in TEXTS:
                yield from word.replace(",", " ").split()
    for stage in part.stages:
        for key, word in (stage.examination.fields if stage.examination else {}).items():
            if key in _SENTENCES and isinstance(word, str):
                yield from word.split()
