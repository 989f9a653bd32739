from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter.wire.token_text import read_tokens


@pytest.mark.parametrize(
    ("tokens", "read"),
    [
        (("▁learn", "ing", ".", "▁", "▁the", "the", "é"), ("learn", "-ing", ".", "▁", "the", "-the", "-é")),
        (("Ġlearn", "ing", "Ċ", "Ġ", "ĠcafÃ©", "Ã"), ("learn", "-ing", "\n", " ", "café", "⟨c3⟩")),
        ((" of", "of", " ,", ","), ("of", "-of", "␣,", ",")),
        # A token that was added by hand is in no alphabet.
        (("Ġa", "<|im_start|>", "犬"), ("a", "<|im_start|>", "-犬")),
        (("play", "##ing"), ("play", "##ing")),
        ((), ()),
    ],
)
def test_pieces_are_read_as_words(tokens: tuple[str, ...], read: tuple[str, ...]) -> None:
    assert read_tokens(tokens) == read


def test_words_are_left_as_they_are() -> None:
    words = (*(f"w{i}" for i in range(40)), "▁odd")
    assert read_tokens(words) == words


@given(st.lists(st.text("Ġ▁ -,aé1⟨c3⟩#", max_size=4), unique=True))
def test_tokens_that_differ_are_read_differently(tokens: list[str]) -> None:
    assert len(set(read_tokens(["Ġmark", *tokens]))) == len({"Ġmark", *tokens})
