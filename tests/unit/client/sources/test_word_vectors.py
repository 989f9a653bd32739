"""Word vectors: word2vec's text and binary form, GloVe, bare matrices of text, gensim's vectors in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lamplighter
from lamplighter.client.sources.embeddings import find_embedding
from lamplighter.client.sources.word_vectors import read_word_vectors

WORDS = ["der", "Straße", "__", "1", "\u00a0x"]
VECTORS = np.random.default_rng(2).normal(size=(5, 3)).astype(np.float32)


def text_of(words: list[str], separator: str = " ") -> str:
    rows = zip(words, VECTORS.tolist(), strict=True)
    return "".join(separator.join([word, *(f"{n:.9g}" for n in row)]) + "\n" for word, row in rows)


def binary_of(words: list[str], *, line_feeds: bool = True, announced: int | None = None) -> bytes:
    end = b"\n" if line_feeds else b""
    rows = b"".join(w.encode() + b" " + v.tobytes() + end for w, v in zip(words, VECTORS, strict=True))
    return f"{announced or len(words)} 3\n".encode() + rows


@pytest.mark.parametrize(
    "content",
    [
        f"5 3\n{text_of(WORDS)}".encode(),
        text_of(WORDS).encode(),
        text_of(WORDS).replace("\n", " \r\n").encode(),
        text_of(WORDS, "\t").encode(),
        binary_of(WORDS),
        binary_of(WORDS, line_feeds=False),
    ],
    ids=["word2vec", "glove", "windows", "tabs", "binary", "fasttext binary"],
)
def test_every_form_is_read_bit_for_bit(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "vectors.bin"
    path.write_bytes(content)
    found = find_embedding(path)
    assert list(found.vocabulary.tokens) == WORDS
    assert found.vectors.tobytes() == VECTORS.tobytes()


def test_tokens_with_spaces_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    path.write_bytes(b"a 1 2\n. . . 3 4\n\xff 5 6\n")
    found = read_word_vectors(path)
    assert found.tokens == ["a", ". . .", "\\xff"]
    assert found.vectors.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_a_matrix_of_text_has_no_tokens(tmp_path: Path) -> None:
    path = tmp_path / "tensors.tsv"
    path.write_text("1\t2\n3\t4\n5\t6\n")
    assert read_word_vectors(path).tokens is None
    assert find_embedding(path, ["a", "b", "c"]).vectors.tolist() == [[1, 2], [3, 4], [5, 6]]
    with pytest.raises(lamplighter.InputError, match="no tokens: give a vocabulary"):
        find_embedding(path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "cannot be shown"),
        (b"just a sentence.\n", "not a file of word vectors"),
        (b"a 1 2\nb 1\nc 1 2\n", "line 2 is not a token and its numbers, 2 of them"),
        (b"3 2\na 1 2\nb 1 x\nc 1 2\n", "line 3 is not"),
        (b"4 2\na 1 2\nb 1 2.00000\nc 1 2\n", "3 rows, but its first line announces 4"),
        (b"999999999 999999999\na 1 2\n", "cannot be shown"),
        (b"3000000 2\na 1 2\n", "too short"),
        (binary_of(WORDS)[:-9], "truncated in row 4 of 5"),
        (binary_of(WORDS, announced=4), "data follows"),
        (b"3 2\n" + b"\0" * 30, "has no token"),
        (b"a 1 2\nb nan 2\nc 1 1e999\n", "not finite"),
        (b"a" * 5000 + b" 1 2\nb 1 2\nc 1 2\n", "characters"),
    ],
)
def test_invalid_input_is_explained(content: bytes, what: str, tmp_path: Path) -> None:
    path = tmp_path / "w2v.txt"
    path.write_bytes(content)
    with pytest.raises(lamplighter.InputError, match=what) as caught:
        find_embedding(path)
    assert "run code" not in str(caught.value)


@given(content=st.binary(max_size=80), begin=st.sampled_from([b"", b"3 2\n", b"a 1 2\n"]))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_vectors_or_refused(content: bytes, begin: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w2v.bin"
    path.write_bytes(begin + content)
    try:
        found = find_embedding(path)
    except lamplighter.InputError:
        return
    assert len(found.vocabulary) == len(found.vectors)


@pytest.mark.parametrize("name", ["a.kv", "a.model", "a.pt", "a.pth", "a.ckpt", "a.pkl", "a.bin", "a.joblib"])
def test_a_pickle_is_refused_with_the_way_out(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x80\x04N.")
    with pytest.raises(lamplighter.InputError, match=r"a pickle can run code .*(save|give)"):
        find_embedding(path)


def test_a_packed_file_is_to_be_unpacked(tmp_path: Path) -> None:
    with pytest.raises(lamplighter.InputError, match="unpack it first"):
        find_embedding(tmp_path / "vectors.bin.gz")


class _KeyedVectors:
    index_to_key = WORDS
    # gensim allocates ahead.
    vectors = np.vstack([VECTORS, np.zeros((3, 3), np.float32)])


class _Model:
    wv = _KeyedVectors()


def test_vectors_in_memory_become_a_run(tmp_path: Path) -> None:
    for at, source in enumerate((_KeyedVectors(), _Model())):
        run = lamplighter.still(tmp_path / f"kv{at}", source)
        assert list(run.tokens) == WORDS
        assert run.snapshot(0).tobytes() == VECTORS.tobytes()
    run = lamplighter.still(tmp_path / "array", VECTORS, WORDS)
    assert run.snapshot(0).tobytes() == VECTORS.tobytes()


@pytest.mark.parametrize(
    ("source", "vocabulary", "what"),
    [
        (VECTORS, None, "give a vocabulary"),
        (VECTORS, WORDS[:4], "5 rows, but the vocabulary has 4"),
        (VECTORS, 7, "a list of tokens"),
        (7, WORDS, "must be a matrix"),
        (np.arange(5), WORDS, "must be a matrix"),
        (VECTORS * np.nan, WORDS, "not finite"),
        (None, WORDS, "must be a matrix"),
        ("a\0b", WORDS, "null character"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(source: Any, vocabulary: Any, what: str, tmp_path: Path) -> None:
    with pytest.raises(lamplighter.InputError, match=what):
        lamplighter.still(tmp_path / "run", source, vocabulary)
    assert not (tmp_path / "run").exists()
