"""A word is found as the tokeniser of its model writes it, as the run keeps it, and as it is shown: by every look-up.

A vocabulary as a tokeniser has it: a mapping of token to id, which lists its tokens in any order.
A token that would leave this machine unencrypted.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from click.testing import CliRunner
from mcp.server.mcpserver.exceptions import ToolError
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

import lamplighter
from lamplighter.cli.agents.reader import AgentReader
from lamplighter.cli.app import cli
from lamplighter.client.sources.vocabulary_files import make_vocabulary
from lamplighter.processes.asked_question import find_word
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.reading.token_table import TokenTable
from tests.support.synthetic_runs.recorded import record

DECODED = (" the", "the", " café", "ing", " learn", "s", " of", " a")
BYTES = ("Ġthe", "the", "ĠcafÃ©", "ing", "Ġlearn", "s", "Ġof", "Ġa")
FOUND = {
    "Ġthe": 0,
    "▁the": 0,
    " the": 0,
    "ĠcafÃ©": 2,
    " café": 2,
    "café": 2,
    "##ing": 3,
    "-ing": 3,
    "learn": 4,
}


@pytest.fixture(params=[DECODED, BYTES], ids=["decoded", "bytes"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> RunFolder:
    return record(tmp_path / "runs", request.param)


def test_every_look_up_finds_each_form(run: RunFolder) -> None:
    opened, table = lamplighter.open(run.path), TokenTable(run.vocabulary)
    words = anyio.run(AgentReader(run.path.parent).words, run.id)
    for text, token in FOUND.items():
        assert opened.token_id(text) == token, text
        assert table.find_token(text) == token, text
        assert table.search(text, 1, 0)[0].token_id == token, text
        assert words.find(text) == token, text
    assert find_word(run, "Ġlearn", "word") == 4
    assert table.search("Ġthe", 5, 1) == []
    assert (opened.path("▁learn").vectors == opened.path(4).vectors).all()
    for unknown in ("Ġzebra", "##zebra", ""):
        with pytest.raises(lamplighter.NoSuchTokenError):
            opened.token_id(unknown)
        assert table.find_token(unknown) is None
    with pytest.raises(ToolError):
        words.find("Ġzebra")


def test_the_package_shows_its_public_names_only() -> None:
    shown = {name for name in dir(lamplighter) if not name.startswith("__")}
    assert {"open", "watch", "record", "NoSuchTokenError"} <= shown
    assert not shown & {"Any", "annotations", "importlib", "client", "runfolder"}
    assert all(
        getattr(lamplighter, name).__module__.startswith("lamplighter")
        for name in shown - {"LightningCallback", "TransformersCallback"}
    )


TOKENS = ("[PAD]", "dog", "cat", "", "<b>", "sun")
SHUFFLED = {TOKENS[number]: number for number in (4, 1, 5, 0, 3, 2)}
MATRIX = np.random.default_rng(0).normal(size=(len(TOKENS), 3)).astype(np.float32)


def test_a_recorded_loop_has_the_tokens_by_id(tmp_path: Path) -> None:
    counts = np.arange(len(TOKENS))
    for name, ids in (("plain", SHUFFLED), ("numpy", {t: np.int64(i) for t, i in SHUFFLED.items()})):
        with lamplighter.record(
            tmp_path / name, ids, embedding=MATRIX, counts=counts, classes={"animal": ["cat", 1]}  # pyright: ignore[reportArgumentType]
        ):  # fmt: skip
            pass
        run = lamplighter.open(tmp_path / name)
        assert run.tokens == TOKENS
        assert run.vocabulary.classes == {"animal": (1, 2)}
        assert run.path("sun").vectors.tobytes() == MATRIX[5].tobytes()


def test_tokens_of_a_tokeniser_are_unchanged(tmp_path: Path) -> None:
    vocab = Tokenizer(WordLevel(SHUFFLED, unk_token="[PAD]")).get_vocab()  # pyright: ignore[reportCallIssue]
    with lamplighter.record(tmp_path / "mine", vocab, embedding=MATRIX):
        pass
    assert lamplighter.open(tmp_path / "mine").tokens == TOKENS


def test_a_still_city_has_the_tokens_by_id(tmp_path: Path) -> None:
    np.save(tmp_path / "e.npy", MATRIX)
    (tmp_path / "vocab.json").write_text(json.dumps(SHUFFLED))
    assert lamplighter.still(tmp_path / "mapping", tmp_path / "e.npy", SHUFFLED).tokens == TOKENS
    assert lamplighter.still(tmp_path / "list", tmp_path / "e.npy", TOKENS).tokens == TOKENS
    words = ["--runs", tmp_path / "runs", "still", tmp_path / "e.npy", tmp_path / "vocab.json"]
    done = CliRunner().invoke(cli, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    assert lamplighter.open(tmp_path / "runs" / "e").tokens == TOKENS


@pytest.mark.parametrize(
    ("ids", "what"),
    [
        ({"a": 0, "b": 1, "c": 1}, "'b' and 'c' both have 1"),
        ({"a": 0, "b": 1, "c": 3}, r"none of the 3 has 2, and the largest is 3: .*'\[unused2\]'"),
        (Counter({"a": 7, "b": 7_000_000_000, "c": 2}), "none of the 3 has 0"),
        ({"a": 1, "b": 2, "c": 3}, "has 0, and the largest is 3"),
        ({"a": 0, "b": 1, "c": -1}, "'c': -1 is too small"),
        ({"a": 0, "b": 1, "c": 2.0}, "'c': 2.0 is not a whole number"),
        ({"a": 0, "b": True, "c": 2}, "'b': True is not a whole number"),
        ({"a": 0, 1: 1, "c": 2}, "token 1 is not a text but int"),
        ({0: "a", 1: "b", 2: "c"}, "from id to token: invert it"),
        ({}, "0 tokens are too few"),
        ({"a", "b", "c"}, "a set has no order"),
    ],
)
def test_rejects_invalid_ids(ids: Any, what: str, tmp_path: Path) -> None:
    for take in (make_vocabulary, lambda given: lamplighter.record(tmp_path / "mine", given)):
        with pytest.raises(lamplighter.InputError, match=what):
            take(ids)
    assert not (tmp_path / "mine").exists()


def test_a_vocabulary_of_another_size_than_the_matrix_says_what_to_do(tmp_path: Path) -> None:
    np.save(tmp_path / "e.npy", MATRIX)
    larger, smaller = {**SHUFFLED, "more": 6}, {t: i for t, i in SHUFFLED.items() if i < 5}
    for ids, what in (
        (larger, r"omit the tokens from id 6"),
        (smaller, r"'\[unused5\]'.* first 5 rows"),
    ):
        with pytest.raises(lamplighter.InputError, match=what):
            lamplighter.record(tmp_path / "mine", ids, embedding=MATRIX)
        with pytest.raises(lamplighter.InputError, match=what):
            lamplighter.still(tmp_path / "mine", tmp_path / "e.npy", ids)
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    "address",
    [
        "http://192.0.2.7:8600/?run=a",
        "ws://school.example:8600/api/runs/a/live",
        "http://127.0.0.1.example/?run=a",
    ],
)
def test_it_is_said_before_it_goes(address: str) -> None:
    with pytest.warns(UserWarning, match="unencrypted"):
        lamplighter.follow(address, token="secret")


@pytest.mark.parametrize(
    ("address", "token"),
    [
        ("http://192.0.2.7:8600/?run=a", None),
        ("https://school.example/?run=a", "secret"),
        ("http://127.0.0.1:8600/?run=a", "secret"),
        ("http://[::1]:8600/?run=a", "secret"),
        ("http://LOCALHOST:8600/?run=a", "secret"),
        ("http://lamplighter.localhost:8600/?run=a", "secret"),
    ],
)
def test_nothing_is_printed_without_a_reader(address: str, token: str | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lamplighter.follow(address, token=token)
