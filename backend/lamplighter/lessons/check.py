"""The check of a folder of the course: what is no part, words that Lamptown does not have, and translations that differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamplighter.corpora.lexicon_parser import Lexicon, read_lexicon
from lamplighter.lessons.library import LANGUAGE, list_languages, read_folder
from lamplighter.lessons.part import Part, Stage
from lamplighter.lessons.view_query import TEXTS, WORDS, parse_view_query


def list_problems(folder: Path) -> list[str]:
    """Return what is wrong with the texts in a folder, in all its languages, a line each.

    Raises:
        OSError: the folder cannot be read.
    """
    found = {language: read_folder(folder, language) for language in list_languages(folder)}
    problems = [str(problem) for files in found.values() for problem in files.problems]
    if not any(files.parts for files in found.values()) and not problems:
        problems.append(f"{folder.name}: there is no part in it: write files such as 01-start.md")
    words = town_words(read_lexicon())
    english = found[LANGUAGE].parts
    for language, files in found.items():
        for part in files.parts.values():
            name = f"part {part.number}" if language == LANGUAGE else f"part {part.number} in {language!r}"
            unknown = dict.fromkeys(word for word in _named_words(part) if word not in words)
            problems += [f"{name}: Lamptown has no word {word!r}" for word in unknown]
            if part.number in english and (difference := find_difference(english[part.number], part)):
                problems.append(f"{name}: {difference}")
    return problems


def find_difference(original: Part, translated: Part) -> str | None:
    """Return where two texts of a part show or measure something different; None: they do not."""
    if original.words != translated.words:
        return f"its words are {', '.join(translated.words)}; those of the other text are {', '.join(original.words)}"
    if len(original.stages) != len(translated.stages):
        return f"it has {len(translated.stages)} stages; the other text has {len(original.stages)}"
    for at, (one, other) in enumerate(zip(original.stages, translated.stages, strict=True), start=1):
        if _shown(one) != _shown(other):
            return f"stage {at} has another kind, view, number or examination than that of the other text"
    return None


def _shown(stage: Stage) -> tuple[object, ...]:
    """Return what a stage shows, asks and measures, whatever language it is in."""
    spans = [span for block in stage.blocks for line in block.lines for span in line]
    asked = stage.prediction
    return (
        stage.kind,
        stage.view,
        stage.reached,
        stage.examination,
        asked and (asked.measured, asked.least, asked.most, tuple(choice.value for choice in asked.choices)),
        sorted(span.view for span in spans if span.view),
        sorted(f"{span.number.name.text}|{span.number.form}" for span in spans if span.number),
    )


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
