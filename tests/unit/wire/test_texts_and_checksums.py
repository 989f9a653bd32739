from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers.pre_tokenizers import ByteLevel

from lamplighter.wire.binary import FrameError
from lamplighter.wire.frames import decode, encode
from lamplighter.wire.token_text import byte_by_symbol, decode_piece, read_tokens, spellings


@pytest.mark.parametrize(
    ("tokens", "read"),
    [
        (("▁learn", "ing", ".", "▁", "▁the", "the", "é"), ("learn", "-ing", ".", "▁", "the", "-the", "-é")),
        (("Ġlearn", "ing", "Ċ", "Ġ", "ĠcafÃ©", "Ã"), ("learn", "-ing", "\n", " ", "café", "⟨c3⟩")),
        ((" of", "of", " ,", ","), ("of", "-of", "␣,", ",")),
        # An added token is in no alphabet.
        (("Ġa", "<|im_start|>", "犬"), ("a", "<|im_start|>", "-犬")),
        (("play", "##ing"), ("play", "##ing")),
        ((), ()),
    ],
)
def test_pieces_become_readable_words(tokens: tuple[str, ...], read: tuple[str, ...]) -> None:
    assert read_tokens(tokens) == read


def test_words_stay_unchanged() -> None:
    words = (*(f"w{i}" for i in range(40)), "▁odd")
    assert read_tokens(words) == words


@given(st.lists(st.text("Ġ▁ -,aé1⟨c3⟩#", max_size=4), unique=True))
def test_different_tokens_get_different_texts(tokens: list[str]) -> None:
    assert len(set(read_tokens(["Ġmark", *tokens]))) == len({"Ġmark", *tokens})


def test_byte_symbols_match_tokenizers() -> None:
    symbols = byte_by_symbol()
    assert set(symbols) == set(ByteLevel.alphabet())
    assert sorted(symbols.values()) == list(range(256))
    # Characters of two bytes have each byte from 0x80 to 0xBF at their end, and most of the others at their beginning.
    written = ByteLevel(add_prefix_space=False, use_regex=False)
    for text in (*map(chr, range(0x800)), "犬", "🏮"):
        ((piece, _),) = written.pre_tokenize_str(text)
        assert decode_piece(piece, symbols) == text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ġthe", " the"),
        ("▁the", " the"),
        (" the", "Ġthe"),
        ("Ġthe", "the"),
        ("ĠcafÃ©", " café"),
        ("ĠcafÃ©", "café"),
        ("##ing", "ing"),
        ("##ing", "-ing"),
        ("the", "the"),
        ("Ġ", "Ġ"),
    ],
)
def test_a_token_is_found_as_tokenisers_write_it(typed: str, kept: str) -> None:
    assert spellings(typed)[0] == typed
    assert kept in spellings(typed)


GOLDEN = Path(__file__).parents[2] / "golden"
CHECKSUM_AT = {"pulse-listed": 68, "rows": 36, "rows-all": 36, "census": 28}


@pytest.mark.parametrize("name", CHECKSUM_AT)
def test_detects_any_changed_byte(name: str) -> None:
    data = (GOLDEN / f"{name}.bin").read_bytes()
    assert encode(decode(data)) == data
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(FrameError):
            decode(bytes(changed))


@pytest.mark.parametrize("name", CHECKSUM_AT)
def test_reads_records_without_a_checksum(name: str) -> None:
    data = bytearray((GOLDEN / f"{name}.bin").read_bytes())
    at = CHECKSUM_AT[name]
    data[at : at + 4] = bytes(4)
    assert encode(decode(bytes(data))) == (GOLDEN / f"{name}.bin").read_bytes()
