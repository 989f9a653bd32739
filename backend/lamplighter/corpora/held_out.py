"""The part of a text that is held out of training, so that the loss on it says what was learned, not remembered."""

from __future__ import annotations

TOWN_HELD_OUT_TOKENS = 50_000
"""Tokens of another seed's town that are held out beside a town."""
MINIMUM_WORDS = 20_000
"""Fewest words of a text from which a part is held out; a shorter one is read whole."""
_SHARE = 10
"""The last one in so many words is held out."""


def split_held_out(documents: list[str]) -> tuple[list[str], list[str]]:
    """Split the last tenth off a text of at least `MINIMUM_WORDS` words, within a document if need be.

    Args:
        documents: words separated by single spaces.

    Returns:
        The documents to read, and those held out: none of a shorter text.
    """
    total = sum(document.count(" ") + 1 for document in documents)
    if total < MINIMUM_WORDS:
        return documents, []
    left = total // _SHARE
    number = len(documents)
    while left >= (words := documents[number - 1].count(" ") + 1):
        left -= words
        number -= 1
    if not left:
        return documents[:number], documents[number:]
    # Less than a whole document is still to be held out.
    last = documents[number - 1].split(" ")
    return (
        [*documents[: number - 1], " ".join(last[:-left])],
        [" ".join(last[-left:]), *documents[number:]],
    )
