"""Prompts as token ids: rejected with a useful message, or of known tokens only; and the chosen prompts."""

from __future__ import annotations

import json
from typing import Any, Literal

import numpy as np
import pytest

from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.corpus import Corpus
from lamplighter.corpora.lamptown import generate_town
from lamplighter.corpora.prompts import TOWN_PROMPTS, PromptError, choose_prompts, encode_prompt
from lamplighter.corpora.tokenisers import tokenise
from lamplighter.wire.vocabulary import Vocabulary

TEXT = (
    "The dog barked; the cat didn't. It is gravity. The dog ran. A cat ran home! It is late. The dog sat. "
    "The cat ran. Ünïcödé wörds are read. It was mass. "
)


def corpus(text: str = TEXT, kind: Literal["words", "bpe"] = "words", size: int = 400) -> Corpus:
    read = tokenise([text] * 10, kind, size)
    return Corpus(read.ids, Vocabulary(read.tokens, read.counts), read.tokeniser)


WORDS, PIECES = corpus(), corpus(kind="bpe")


def encode(text: str, read: Corpus = WORDS) -> list[str]:
    return [
        read.vocabulary.tokens[number] for number in encode_prompt(read.tokeniser, text, len(read.vocabulary))
    ]


def refusal(text: str, read: Corpus = WORDS) -> PromptError:
    with pytest.raises(PromptError) as caught:
        encode(text, read)
    return caught.value


def choose(recipe: dict[str, Any], read: Corpus = WORDS) -> list[str]:
    validated = Recipe.model_validate(recipe)
    prompts = choose_prompts(validated, read.tokeniser, read.vocabulary, read.token_ids)
    return [" ".join(read.vocabulary.tokens[number] for number in prompt) for prompt in prompts]


def test_splits_a_prompt_like_the_text() -> None:
    assert encode("THE  dog barked; the ÜNÏCÖDÉ") == ["the", "dog", "barked", ";", "the", "ünïcödé"]
    assert "".join(encode("The dog ran", PIECES)) == "▁The▁dog▁ran"


@pytest.mark.parametrize(("kind", "size"), [("words", 60), ("bpe", 60), ("bpe", 400)])
def test_encodes_the_text_to_the_ids_of_the_corpus(kind: Literal["words", "bpe"], size: int) -> None:
    read = corpus(kind=kind, size=size)
    assert encode_prompt(read.tokeniser, TEXT, len(read.vocabulary)) == [
        int(number) for number in read.token_ids[: len(read.token_ids) // 10]
    ]


def test_names_unknown_words_with_similar_ones() -> None:
    error = refusal("the Gravty of dgo")
    assert [(found.word, found.similar[:1]) for found in error.unknown] == [
        ("Gravty", ("gravity",)),
        ("of", ()),
        ("dgo", ("dog",)),
    ]
    assert str(error) == (
        "the model has never read “Gravty” (similar: gravity), “of”, “dgo” (similar: dog): use words of its text"
    )


def test_names_only_a_few_unknown_words() -> None:
    error = refusal(" ".join(f"x{number}" for number in range(500)) + " x1 x2")
    assert len(error.unknown) == 3
    assert "and 497 more" in str(error)
    assert error.reason is not None
    assert error.reason.code == "unknown_words"
    assert (error.reason.values["words"], error.reason.values["more"]) == ("x0, x1, x2", 497)


def test_quotes_a_hostile_prompt_safely() -> None:
    message = str(refusal("the \x1b[31m\u202edog " + "y" * 5_000))
    assert message.isprintable()
    assert len(message) < 1_000


@pytest.mark.parametrize("read", [WORDS, PIECES])
@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_rejects_an_empty_prompt(text: str, read: Corpus) -> None:
    assert "empty" in str(refusal(text, read))


@pytest.mark.parametrize("text", ["<unk>", "the \ud800 dog", "\x00", "▁", "☃" * 300])
@pytest.mark.parametrize("read", [WORDS, PIECES])
def test_rejects_unseen_characters(text: str, read: Corpus) -> None:
    refusal(text, read)


def _changed(**changes: Any) -> str:
    tokeniser = json.loads(WORDS.tokeniser)
    tokeniser["model"] |= changes
    return json.dumps(tokeniser)


@pytest.mark.parametrize(
    "tokeniser",
    [
        "[]",
        "not JSON",
        "{}",
        _changed(vocab={"<unk>": 0, "the": 7_000_000}),
        _changed(vocab=["the"]),
        _changed(vocab={"<unk>": 0, "the": "1"}),
        _changed(type="Unigram"),
        _changed(type="BPE", merges=[["no", "such"]]),
        _changed(type="BPE", merges=3),
    ],
)
def test_rejects_an_invalid_tokeniser(tokeniser: str) -> None:
    with pytest.raises(PromptError, match="this run cannot read a text"):
        encode_prompt(tokeniser, "the dog", len(WORDS.vocabulary))


def test_uses_only_the_tokens_of_an_untrusted_tokeniser() -> None:
    tokeniser = json.loads(WORDS.tokeniser)
    tokeniser["pre_tokenizer"] = {
        "type": "Split",
        "pattern": {"Regex": "(a+)+$"},
        "behavior": "Removed",
        "invert": False,
    }
    tokeniser["normalizer"] = {"type": "Prepend", "prepend": "x" * 1_000}
    found = encode_prompt(json.dumps(tokeniser), "the dog", len(WORDS.vocabulary))
    assert found == encode_prompt(WORDS.tokeniser, "the dog", len(WORDS.vocabulary))


def test_chooses_beginnings_of_sentences() -> None:
    assert choose({"corpus": {"kind": "text"}}) == ["the dog", "it is", "a cat"]
    assert choose({"corpus": {"kind": "text"}}, PIECES) == ["▁The ▁dog", "▁It ▁is", "▁A ▁cat"]


def test_chooses_words_of_a_text_without_sentences() -> None:
    read = corpus("b b b c c , , , , a 7 7 7 7 ")
    assert choose({"corpus": {"kind": "text"}}, read) == ["b", "c", "a"]
    nothing = corpus(", , ; 7 ")
    assert choose({"corpus": {"kind": "text"}}, nothing) == []


def test_replaces_a_prompt_with_unknown_words() -> None:
    recipe = {"corpus": {"kind": "text"}, "prompts": ["the cat", "the unicorn", "the dog"]}
    assert choose(recipe) == ["the cat", "it is", "the dog"]
    assert choose({"prompts": ["gravity " * 25]}) == ["gravity " * 24 + "gravity"]


def test_towns_have_fixed_prompts() -> None:
    town = corpus(" ".join(word for words in generate_town(0, size=30_000).documents for word in words))
    assert choose({}, town) == list(TOWN_PROMPTS)
    # A vocabulary of three lacks their words.
    few = Vocabulary(("<unk>", "the", "."), np.array([5, 9, 7]))
    assert choose({}, Corpus(np.minimum(town.token_ids, 2), few, "{}")) == ["the"]
