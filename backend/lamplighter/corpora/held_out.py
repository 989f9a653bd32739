"""The part of a text held out of training, so that the loss on it measures learning, not memorising."""

from __future__ import annotations

TOWN_HELD_OUT_TOKENS = 50_000
"""Tokens of held-out text for a town, from the town of another seed."""
MIN_WORDS = 20_000
"""Minimum words of a text from which a part is held out; a shorter one is read whole."""
_SHARE = 10
"""The last 1 / `_SHARE` of the words is held out."""


def split_held_out(documents: list[str]) -> tuple[list[str], list[str]]:
    """Return the documents to read (words separated by single spaces) and the last tenth, which is held out.
    It is split off within a document if necessary; nothing is of a text below `MIN_WORDS` words.
    """
    total = sum(document.count(" ") + 1 for document in documents)
    if total < MIN_WORDS:
        return documents, []
    left = total // _SHARE
    number = len(documents)
    while left >= (words := documents[number - 1].count(" ") + 1):
        left -= words
        number -= 1
    if not left:
        return documents[:number], documents[number:]
    # The rest to hold out is less than a whole document.
    last = documents[number - 1].split(" ")
    return (
        [*documents[: number - 1], " ".join(last[:-left])],
        [" ".join(last[-left:]), *documents[number:]],
    )
