from __future__ import annotations

import pytest

from lamplighter.contract.recipe import CorpusRecipe, ModelRecipe, Recipe
from lamplighter.corpora.build import build_corpus
from lamplighter.corpora.corpus import CorpusError
from lamplighter.corpora.text_survey import (
    FEW_WORDS,
    SURVEYED_CHARACTERS,
    count_enough_tokens,
    survey_text,
)
from lamplighter.corpora.textfile import CLEAR_WORDS
from lamplighter.model.batches import require_enough_text


def prose(words: int) -> str:
    """Return a text of that many words, a few of which occur often."""
    said = [f"word{n * n % 977}" if n % 3 else f"common{n % 50}" for n in range(words)]
    return "\n\n".join(" ".join(said[at : at + 90]) for at in range(0, words, 90))


@pytest.mark.parametrize("words", [1_200, 30_000])
def test_statistics_match_the_trainer(words: int) -> None:
    text = "“Don't!” said É.\n\n" + prose(words)
    survey = survey_text(text)
    recipe = CorpusRecipe(kind="text", vocabulary_size=200_000)
    corpus = build_corpus(recipe, 0, text)
    held_out = 0 if corpus.held_out is None else len(corpus.held_out)
    assert survey.tokens == len(corpus.token_ids) + held_out
    # “ ” ! . are tokens, and no words.
    assert survey.words == survey.tokens - 4 == words + 3
    assert survey.different == len(corpus.vocabulary) - 1 - 4
    assert survey.often == int((corpus.vocabulary.counts[1:] >= 5).sum())
    assert survey.exact
    proposed = build_corpus(recipe.model_copy(update={"vocabulary_size": survey.vocabulary}), 0, text)
    assert len(proposed.vocabulary) == survey.vocabulary


def test_expectation_depends_on_the_length() -> None:
    expected = [
        (0, "too_short"),
        (999, "too_short"),
        (1_000, "by_heart"),
        (FEW_WORDS - 1, "by_heart"),
        (FEW_WORDS, "some"),
    ]
    assert [(words, survey_text(prose(words)).expectation) for words, _ in expected] == expected
    assert survey_text(prose(CLEAR_WORDS)).expectation == "clear"
    steps = [survey_text(prose(words)).steps for words in (0, 1_000, 64_000, 192_000, 1_000_000)]
    assert steps == [500, 500, 1_000, 3_000, Recipe().steps]


def test_extrapolates_a_long_text() -> None:
    once = prose(SURVEYED_CHARACTERS // 9)
    survey = survey_text(once * 4)
    assert not survey.exact
    assert survey.words == pytest.approx(4 * survey_text(once).words, rel=0.02)


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n\n", "a", "\ufeff", "x" * 300_000, "\u202e" * 5_000, "🏮" * 2_000]
)
def test_surveys_any_text(text: str) -> None:
    survey = survey_text(text)
    assert survey.vocabulary >= 3
    assert (survey.expectation == "too_short") == (survey.tokens < 1_000)


def test_detects_a_text_that_is_too_short() -> None:
    recipe = CorpusRecipe(kind="text")
    with pytest.raises(CorpusError, match=r"^This text has 999 words\. 1,000 are needed"):
        count_enough_tokens(recipe, prose(999), 1)
    with pytest.raises(CorpusError, match=r"^This text has 1 word\."):
        count_enough_tokens(recipe, " " * 200_000 + "one" + "\n" * 200_000, 1)
    assert count_enough_tokens(recipe, prose(1_000), 1) == 1_000
    assert count_enough_tokens(recipe, prose(200_000), 5_000) == 5_000, "the rest is not read"


def test_rejects_a_text_shorter_than_a_batch() -> None:
    recipe = Recipe(corpus=CorpusRecipe(kind="text"), model=ModelRecipe(context=600), sequences=8, passages=2)
    require_enough_text(recipe, prose(2_500))
    with pytest.raises(CorpusError, match=r"has 2,300 tokens and a batch reads passages of 2,401"):
        require_enough_text(recipe, prose(2_300))
