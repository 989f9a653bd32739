"""The displayed tokens of tokenisers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

import lamplighter
from lamplighter.client.sources.tokeniser_files import decode_byte_level, parse_tokeniser
from lamplighter.client.sources.vocabulary_files import make_vocabulary, read_vocabulary

BYTES = {"decoder": {"type": "ByteLevel"}}


def tokens_of(vocab: Any, **rest: Any) -> list[str]:
    return parse_tokeniser({"model": {"vocab": vocab}, **rest}, "tokenizer.json")


def test_each_kind_is_shown_as_people_read_it() -> None:
    assert tokens_of({"Ġof": 0, "of": 1, "Ċ": 2}, **BYTES) == [" of", "of", "\n"]
    nested = {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}]}}
    assert tokens_of({"Ġof": 0, "of": 1}, **nested) == [" of", "of"]
    assert tokens_of({"play": 0, "##ing": 1}, decoder={"type": "WordPiece"}) == ["play", "##ing"]
    assert tokens_of({"Ġof": 0}) == ["Ġof"]
    pieces = [["<unk>", 0], ["\u2581of", -1.5], ["of", -2.5]]
    assert tokens_of(pieces, decoder={"type": "Metaspace"}) == ["<unk>", " of", "of"]
    replace = {
        "type": "Sequence",
        "decoders": [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}],
    }
    assert tokens_of({"\u2581of": 0}, decoder=replace) == [" of"]


def test_added_tokens_and_gaps_have_their_ids() -> None:
    added = [{"id": 3, "content": "Ġ[PAD]"}, {"id": 0, "content": "a"}]
    assert tokens_of({"a": 0, "b": 1}, added_tokens=added, **BYTES) == ["a", "b", "(unused 2)", "Ġ[PAD]"]


def test_tokens_that_would_be_alike_stay_as_they_are() -> None:
    added = [{"id": 2, "content": " of"}]
    assert tokens_of({"Ġof": 0, "of": 1}, added_tokens=added, **BYTES) == ["Ġof", "of", " of"]


@given(st.lists(st.text("aĠâĢĊÂ§ é of", max_size=4), unique=True, max_size=20))
def test_distinct_pieces_are_shown_distinct(pieces: list[str]) -> None:
    assert len(set(decode_byte_level(pieces))) == len(pieces)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ({"model": {}}, "no vocabulary"),
        ({"model": {"vocab": {}}}, "no tokens"),
        ({"model": {"vocab": {"a": 1 << 40}}}, "at most"),
        ({"model": {"vocab": {"a": -1}}}, "too small"),
        ({"model": {"vocab": {"a": 1, "b": 1}}}, "two tokens have the id 1"),
        ({"model": {"vocab": [["a"], 3]}}, "not pairs"),
        ({"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 1}]}, "no text"),
        ({"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": "x", "content": "b"}]}, "not a whole number"),
    ],
)
def test_hostile_tokenisers(data: Any, what: str, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(data))
    with pytest.raises(lamplighter.InputError, match=what):
        read_vocabulary(path)


class _Slow:
    def get_vocab(self) -> dict[str, int]:
        return {"a": 0, "b": 1, "c": 3}


def test_a_tokeniser_in_memory_is_a_vocabulary() -> None:
    fast = Tokenizer(models.WordLevel({"a": 0, "b": 1, "c": 2}, unk_token="a"))
    fast.add_tokens(["[PAD]"])
    wrapped = type("Fast", (), {"backend_tokenizer": fast, "get_vocab": fast.get_vocab})()
    for tokeniser, tokens in ((fast, "[PAD]"), (wrapped, "[PAD]"), (_Slow(), "c")):
        assert make_vocabulary(tokeniser).tokens[3] == tokens
    assert make_vocabulary(_Slow()).tokens[2] == "(unused 2)"
    for wrong in (7, "abc"):
        with pytest.raises(lamplighter.InputError, match="a list of tokens is needed"):
            make_vocabulary(wrong)  # pyright: ignore[reportArgumentType]
