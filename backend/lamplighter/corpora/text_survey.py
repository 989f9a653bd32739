"""Statistics of a text before training: its words, its different words, and suitable settings.

They match the trainer's: the same splitting, held-out part and tokeniser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lamplighter.contract.reason import give_reason
from lamplighter.contract.recipe import CorpusRecipe, Recipe

from .corpus import CorpusError
from .held_out import split_held_out
from .textfile import CLEAR_WORDS, MIN_TOKENS, count_words, explain_too_short, split_paragraphs
from .tokenisers import tokenise

SURVEYED_CHARACTERS = 2_000_000
"""Maximum characters to read; the statistics of a longer text are extrapolated."""
SEEN_OFTEN = 5
"""Minimum occurrences of a word for the model to learn its place."""
FEW_WORDS = 30_000
"""Words below which a text is memorised before it forms any district (docs/decisions/0017)."""
READINGS = 8
"""Passes over a text before the loss on held-out text rises: it is memorised, and districts vanish."""
_MIN_STEPS, _ROUND_STEPS = 500, 100
_MIN_VOCABULARY = 200
_MAX_DIFFERENT = 1_000_000
_MAX_WORD = 41
"""Maximum characters per token of the kind `words`, in a text with single spaces."""


@dataclass(frozen=True)
class TextSurvey:
    """Statistics of a text, split into words."""

    words: int
    """Words in the whole text, without punctuation marks."""
    tokens: int
    """Words and punctuation marks in the whole text, as training counts them."""
    different: int
    """Different words in the part that training reads."""
    often: int
    """Different words and punctuation marks that occur at least `SEEN_OFTEN` times."""
    exact: bool
    """False for a text longer than `SURVEYED_CHARACTERS`, whose statistics are estimates."""

    @property
    def vocabulary(self) -> int:
        """Return a suitable vocabulary size: the number of frequent words, including `<unk>`."""
        limit = CorpusRecipe().vocabulary_size
        return max(min(self.often + 1, limit), min(_MIN_VOCABULARY, self.different + 1), 3)

    @property
    def steps(self) -> int:
        """Return a suitable number of steps, which ends before the text is memorised."""
        recipe = Recipe()
        steps = round(READINGS * self.tokens / recipe.batch_tokens / _ROUND_STEPS) * _ROUND_STEPS
        return min(max(steps, _MIN_STEPS), recipe.steps)

    @property
    def expectation(self) -> Literal["too_short", "by_heart", "some", "clear"]:
        """Return whether it is rejected, memorised, or forms some or clear neighbourhoods."""
        if self.tokens < MIN_TOKENS:
            return "too_short"
        if self.tokens < FEW_WORDS:
            return "by_heart"
        return "some" if self.tokens < CLEAR_WORDS else "clear"


def survey_text(text: str) -> TextSurvey:
    """Count the words of a text, in time bounded by `SURVEYED_CHARACTERS`."""
    share = min(1.0, SURVEYED_CHARACTERS / max(1, len(text)))
    read = text[:SURVEYED_CHARACTERS]
    documents, unread = split_held_out(split_paragraphs(read))
    found = tokenise(documents, "words", _MAX_DIFFERENT)
    held_out = len(tokenise(unread, "words", 3).ids) if unread else 0
    counts = found.counts[1:]
    return TextSurvey(
        words=round(count_words(read) / share),
        tokens=round((len(found.ids) + held_out) / share),
        different=sum(count_words(token) > 0 for token in found.tokens[1:]),
        often=int(np.count_nonzero(counts >= SEEN_OFTEN)),
        exact=share == 1.0,
    )


def count_enough_tokens(recipe: CorpusRecipe, text: str, enough: int) -> int:
    """Return how many tokens of a text training would read; any number from `enough` on may stand for more.
    It raises CorpusError if the text is too short to learn from, as `build_corpus` does.
    """
    documents, left = list[str](), max(enough, MIN_TOKENS) * _MAX_WORD
    for document in split_held_out(split_paragraphs(text))[0]:
        documents.append(document[:left])
        left -= len(documents[-1])
        if left <= 0:
            # The length guarantees that many words. Word pieces may be fewer: training checks that.
            return enough
    tokens = len(tokenise(documents, recipe.tokeniser, recipe.vocabulary_size).ids)
    if tokens < MIN_TOKENS:
        words = sum(map(count_words, documents))
        raise CorpusError(
            explain_too_short(words),
            give_reason("text_too_short", words=words, needed=MIN_TOKENS, clear=CLEAR_WORDS),
        )
    return tokens
