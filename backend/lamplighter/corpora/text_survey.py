"""Facts about a text before it is learned: how many words, how many different ones, and what suits it.

The figures are the trainer's own: the same splitting, the same part held out, the same tokeniser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lamplighter.recipe import CorpusRecipe, Recipe

from .corpus import CorpusError
from .held_out import split_held_out
from .textfile import CLEAR_WORDS, MINIMUM_TOKENS, explain_too_short, split_paragraphs
from .tokenisers import tokenise

SURVEYED_CHARACTERS = 2_000_000
"""Characters of a text that are read; a longer one has more than enough words, and is extrapolated."""
SEEN_OFTEN = 5
"""Occurrences from which on a word has been seen often enough to find its place."""
FEW_WORDS = 30_000
"""Words below which a text is known by heart before it has made any district (docs/decisions/0017)."""
READINGS = 8
"""Times that a text is read before the loss on unread text rises: from then on it is learned by heart, and districts go."""
_FEWEST_STEPS, _ROUND_STEPS = 500, 100
_SMALLEST_VOCABULARY = 200
_MAX_DIFFERENT = 1_000_000
_LONGEST_WORD = 41
"""Most characters of a text, with its spaces single, that make no more than one token of the kind `words`."""


@dataclass(frozen=True)
class TextSurvey:
    """The figures of a text, split into words."""

    words: int
    """Words and punctuation marks in the whole text."""
    different: int
    """Different ones among those that training reads."""
    often: int
    """Different ones that occur at least `SEEN_OFTEN` times."""
    exact: bool
    """False for a text longer than `SURVEYED_CHARACTERS`: the figures are then estimates."""

    @property
    def vocabulary(self) -> int:
        """Return the vocabulary that suits the text: the words that occur often, `<unk>` included."""
        limit = CorpusRecipe().vocabulary_size
        return max(min(self.often + 1, limit), min(_SMALLEST_VOCABULARY, self.different + 1), 3)

    @property
    def steps(self) -> int:
        """Return the number of steps that suits the text: it ends before the text is known by heart."""
        recipe = Recipe()
        steps = round(READINGS * self.words / recipe.batch_tokens / _ROUND_STEPS) * _ROUND_STEPS
        return min(max(steps, _FEWEST_STEPS), recipe.steps)

    @property
    def expectation(self) -> Literal["too_short", "by_heart", "some", "clear"]:
        """Return what becomes of the text: refused, learned by heart without neighbourhoods, some of them, or clear
        ones."""
        if self.words < MINIMUM_TOKENS:
            return "too_short"
        if self.words < FEW_WORDS:
            return "by_heart"
        return "some" if self.words < CLEAR_WORDS else "clear"


def survey_text(text: str) -> TextSurvey:
    """Count the words of a text, in time that its length does not matter to beyond `SURVEYED_CHARACTERS`."""
    share = min(1.0, SURVEYED_CHARACTERS / max(1, len(text)))
    documents, unread = split_held_out(split_paragraphs(text[:SURVEYED_CHARACTERS]))
    found = tokenise(documents, "words", _MAX_DIFFERENT)
    held_out = len(tokenise(unread, "words", 3).ids) if unread else 0
    counts = found.counts[1:]
    return TextSurvey(
        words=round((len(found.ids) + held_out) / share),
        different=int(np.count_nonzero(counts)),
        often=int(np.count_nonzero(counts >= SEEN_OFTEN)),
        exact=share == 1.0,
    )


def count_enough_tokens(recipe: CorpusRecipe, text: str, enough: int) -> int:
    """Count the tokens of a text that training would read, and stop where there are enough.

    Args:
        recipe: how the text becomes tokens.
        text: the text.
        enough: the tokens beyond which the number does not matter.

    Returns:
        The number of tokens; at least `enough` if the text may have so many.

    Raises:
        CorpusError: it is too short to be learned from, as `build_corpus` would find.
    """
    documents, left = list[str](), max(enough, MINIMUM_TOKENS) * _LONGEST_WORD
    for document in split_held_out(split_paragraphs(text))[0]:
        documents.append(document[:left])
        left -= len(documents[-1])
        if left <= 0:
            # So many characters are so many words. In pieces of words it may be fewer: training finds out.
            return enough
    tokens = len(tokenise(documents, recipe.tokeniser, recipe.vocabulary_size).ids)
    if tokens < MINIMUM_TOKENS:
        raise CorpusError(explain_too_short(tokens))
    return tokens
