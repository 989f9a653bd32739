"""Texts are read as tokens, by words or by pieces of words."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from tokenizers import Tokenizer

from lamplighter.corpora.tokenisers import UNKNOWN, tokenise

SENTENCES = [
    "The dog barked; the cat didn't.",
    "A learner learns what learning is, and the learned learn more.",
    "Ünïcödé wörds, 世界 and 🎉 (and “quotes”) — don't worry!",
]
HOSTILE = [
    "<script>alert('x')</script> <unk> <b>bold</b> {{7*7}} \\u202e ▁ ⟨U+202E⟩ Ġ",
    "abc \u202egnp.exe\u202c \u200b\u200d \u2066x\u2069 \ufeff",
    "👩‍👩‍👧‍👦 🏳️‍🌈 é e\u0301 \x1b[31mred\x1b[0m \x07 \u2028 \ue000 =cmd()",
    "a" * 5_000,
]


def test_words_are_lower_case_without_punctuation() -> None:
    read = tokenise(SENTENCES, "words", 4_000)
    words = [read.tokens[number] for number in read.ids[:9]]
    assert words == ["the", "dog", "barked", ";", "the", "cat", "didn't", ".", "a"]
    assert read.tokens[0] == UNKNOWN


def test_keeps_frequent_words_and_rare_ones_are_unknown() -> None:
    read = tokenise(["b b b b c c c a a d"], "words", 3)
    assert read.tokens == (UNKNOWN, "b", "c")
    assert read.counts.tolist() == [3, 4, 3]


def test_words_round_trip() -> None:
    read = tokenise(SENTENCES, "words", 4_000)
    text = " ".join(read.tokens[number] for number in read.ids)
    assert text.replace(" ", "") == "".join(SENTENCES).lower().replace(" ", "")


def test_pieces_round_trip_exactly() -> None:
    read = tokenise(SENTENCES * 3, "bpe", 400)
    assert Tokenizer.from_str(read.tokeniser).decode(read.ids.tolist()) == "".join(
        f" {sentence}" for sentence in SENTENCES * 3
    )
    assert len(read.tokens) <= 400


def test_displays_pieces_readably() -> None:
    read = tokenise(["the learner learns the learning"] * 20, "bpe", 60)
    shown = "".join(read.tokens[number] for number in read.ids)
    assert shown.startswith("▁the▁learner▁learns▁the▁learning▁the")
    assert "▁the" in read.tokens


@pytest.mark.parametrize("kind", ["words", "bpe"])
@pytest.mark.parametrize("size", [3, 50, 4_000])
def test_handles_hostile_text(kind: str, size: int) -> None:
    read = tokenise(HOSTILE + SENTENCES, kind, size)  # pyright: ignore[reportArgumentType]
    assert len(read.tokens) == len(set(read.tokens)) == len(read.counts) <= size
    assert int(read.ids.max()) < len(read.tokens)
    assert np.array_equal(np.bincount(read.ids, minlength=len(read.tokens)), read.counts)
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not [t for t in read.tokens if not t or any(unicodedata.category(sign) in hidden for sign in t)]
    assert not [t for t in read.tokens if any(sign.isspace() for sign in t)]
    if size == 4_000:
        assert read.counts[0] == 0, "a text that spells out <unk> is not unknown"


@pytest.mark.parametrize("kind", ["words", "bpe"])
def test_the_same_text_gives_the_same_ids(kind: str) -> None:
    one = tokenise(SENTENCES * 40, kind, 100)  # pyright: ignore[reportArgumentType]
    two = tokenise(SENTENCES * 40, kind, 100)  # pyright: ignore[reportArgumentType]
    assert one.tokens == two.tokens
    assert one.tokeniser == two.tokeniser
    assert np.array_equal(one.ids, two.ids)


@pytest.mark.parametrize("kind", ["words", "bpe"])
def test_encodes_unseen_text(kind: str) -> None:
    read = tokenise(SENTENCES, kind, 4_000)  # pyright: ignore[reportArgumentType]
    unseen = Tokenizer.from_str(read.tokeniser).encode("xylophon Ж", add_special_tokens=False).ids
    assert 0 in unseen


def test_reads_a_very_long_line_in_pieces() -> None:
    line = "one two three " * 20_000
    read = tokenise([line], "words", 10)
    assert read.document_lengths.tolist() == [60_000]
    assert len(read.ids) == 60_000
    assert read.counts[0] == 0


def test_no_text_gives_no_tokens() -> None:
    assert len(tokenise([], "words", 10).ids) == 0
    assert len(tokenise([], "bpe", 10).ids) == 0
