"""The check of a folder of the course: what is no part, and words that Lamptown does not have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamplighter.corpora.lexicon_parser import Lexicon, read_lexicon
from lamplighter.lessons.library import read_folder
from lamplighter.lessons.part import Part
from lamplighter.lessons.view_query import TEXTS, WORDS, parse_view_query


def list_problems(folder: Path) -> list[str]:
    """Return what is wrong with the texts in a folder, a line each.

    Raises:
        OSError: the folder cannot be read.
    """
    found = read_folder(folder)
    problems = [str(problem) for problem in found.problems]
    if not found.parts and not problems:
        problems.append(f"{folder.name}: there is no part in it: write files such as 01-start.md")
    words = town_words(read_lexicon())
    for part in found.parts.values():
        unknown = dict.fromkeys(word for word in _named_words(part) if word not in words)
        problems += [f"part {part.number}: Lamptown has no word {word!r}" for word in unknown]
    return problems


def town_words(lexicon: Lexicon) -> frozenset[str]:
    """Return the words of the town's text."""
    words = {word for members in lexicon.classes.values() for word in members} | {"a", "an", "<unk>"}
    patterns = (pattern for patterns in lexicon.topics.values() for pattern in patterns)
    for pattern in patterns:
        for sentence in pattern:
            words.update(piece for piece in sentence if isinstance(piece, str))
    return frozenset(words)


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
        for key, word in (stage.examination or {}).items():
            if key in ("sentence", "other_sentence", "prompt") and isinstance(word, str):
                yield from word.split()
