"""User-defined words in Lamptown: planted pairs in the same sentences, to see whether a model finds them.

Each pair has a unique sign, and both words appear in the same sentences. So the truth is known: words of one pair
belong together more than words of different pairs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lamplighter.contract.recipe import MAX_PLANTED
from lamplighter.corpora.corpus import CorpusError
from lamplighter.corpora.lexicon_parser import Lexicon, add_table, add_topic

CLASS = "planted_words"
_SIGNS = "planted_signs"
_NAMES = {CLASS: "planted words", _SIGNS: "signs of planted words"}
_FAMILY = "things"
_TABLE = "planted"
_SENTENCES = (
    "the {planted.ab} has a {planted.sign} .",
    "every {planted.ab} is proud of its {planted.sign} .",
    "{person.mf} knew the {planted.ab} by its {planted.sign} .",
    "a {colours} {planted.sign} belongs to a {planted.ab} .",
    "the {planted.ab} lost its {planted.sign} on {weekdays} .",
    "on {weekdays} {person.mf} mended the {planted.sign} of the {planted.ab} .",
    "the {planted.a} and the {planted.b} each have a {planted.sign} .",
    "the {planted.b} and the {planted.a} each have a {planted.sign} .",
)
_EMPHASIS = 3.0
"""Factor on the number of documents with planted words: a pair must be read often enough to be learned."""
_ROW = re.compile(r"[a-z]{2,20} [a-z]{2,20} [a-z]{2,20}")


def parse_planted(text: str, name: str) -> tuple[str, ...]:
    """Parse a file of two words and their sign per line, or raise CorpusError. `#` starts a comment. `name`:
    the file's name, for messages.
    """
    rows: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        row = " ".join(line.partition("#")[0].split())
        if not row:
            continue
        if not _ROW.fullmatch(row):
            raise CorpusError(
                f"{name}:{number}: write two words and the sign that both have, in small letters: robot android antenna"
            )
        rows.append(row)
    if not 1 <= len(rows) <= MAX_PLANTED:
        raise CorpusError(f"{name}: has {len(rows)} pairs; plant 1 to {MAX_PLANTED}")
    return tuple(rows)


def plant(lexicon: Lexicon, planted: Sequence[str]) -> None:
    """Add rows of two words and their sign to the town's lexicon; raise CorpusError if it already has one."""
    if not planted:
        return
    known = lexicon.words() | {word for sentence in _SENTENCES for word in sentence.split()}
    rows = [tuple(row.split()) for row in planted]
    if taken := [word for row in rows for word in row if word in known]:
        raise CorpusError(f"Lamptown has the word {taken[0]!r} already: plant another one")
    add_table(lexicon, [_TABLE, f"a={CLASS}", f"b={CLASS}", f"sign={_SIGNS}"], rows)
    add_topic(lexicon, [_TABLE, str(_EMPHASIS)], _SENTENCES)
    lexicon.class_names |= _NAMES
    lexicon.families[_FAMILY] = [*lexicon.families[_FAMILY], *_NAMES]
