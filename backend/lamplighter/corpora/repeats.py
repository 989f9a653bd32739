"""Passages of random words, of which pieces come again: "rain fig owl harp dog … owl harp dog … fig owl harp".

Which word comes next cannot be known at first. In a piece that comes again, the model knows it by looking back at what
followed the same word before. The pieces begin anywhere and differ in length, so no word at a fixed distance is the right one.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from .lexicon_parser import read_lexicon

PASSAGES, HELD_OUT_PASSAGES = 20_000, 1_500
PASSAGE_WORDS = 33
_CLASSES = ("animals", "birds", "fruits", "instruments", "trees", "weather")
"""Their words are those of Lamptown too, so that a model of the town can read on here."""
_LIST = (10, 14)
"""Words of a passage before the first piece comes again, all of them different."""
_PIECE = (4, 8)
"""Words of a piece."""


def write_passages(seed: int, count: int) -> list[str]:
    """Return `count` passages of `PASSAGE_WORDS` words each, identical on every machine."""
    classes = read_lexicon().classes
    words = [word for name in _CLASSES for word in classes[name]]
    # Python guarantees the same sequence between versions only for random().
    draw = random.Random(f"repeats {seed}").random
    return [" ".join(_write_passage(words, draw)) for _ in range(count)]


def _write_passage(words: list[str], draw: Callable[[], float]) -> list[str]:
    def between(first: int, last: int) -> int:
        return first + int(draw() * (last - first + 1))

    length = between(*_LIST)
    left = list(words)
    passage = [left.pop(between(0, len(left) - 1)) for _ in range(length)]
    while len(passage) < PASSAGE_WORDS:
        piece = between(*_PIECE)
        begin = between(0, length - piece)
        passage += passage[begin : begin + piece]
    return passage[:PASSAGE_WORDS]
