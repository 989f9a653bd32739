"""User-defined words in Lamptown: their file, their sentences, and whether a model found them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from lamplighter.cli.app import cli
from lamplighter.contract.recipe import CorpusRecipe, ModelRecipe, Recipe
from lamplighter.corpora.build import build_corpus
from lamplighter.corpora.corpus import CorpusError
from lamplighter.corpora.lamptown import generate_town
from lamplighter.corpora.lexicon_parser import read_lexicon
from lamplighter.corpora.planted import CLASS, parse_planted, plant
from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.vocabulary import Vocabulary
from tests.support.folders import CONTEXT, TOKENS, D, FakeTrainer, V, make_run

ROWS = ("robot android antenna", "griffin unicorn mane")


def test_parses_two_words_and_their_sign_per_line() -> None:
    assert parse_planted("# mine\nrobot  android antenna # beep\n\ngriffin unicorn mane\n", "a.txt") == ROWS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("robot android", "a.txt:1: write two words and the sign"),
        ("robot android antenna\nRobot b c", "a.txt:2"),
        ("../x y z", "a.txt:1"),
        ("{person.mf} b c", "a.txt:1"),
        ("# nothing\n", "has 0 pairs"),
        ("\n".join(f"{a}x {a}y {a}z" for a in "abcdefghijklm"), "has 13 pairs"),
    ],
)
def test_rejects_invalid_pairs(text: str, said: str) -> None:
    with pytest.raises(CorpusError, match=said):
        parse_planted(text, "a.txt")


@pytest.mark.parametrize("fields", [
    {"planted": ["robot android"]}, {"planted": ["robot android antenna", "robot b c"]}, {"planted": ["a b c"]},
    {"planted": list(ROWS), "kind": "manuals"}, {"planted": [f"w{chr(97 + n)} x{chr(97 + n)} y{chr(97 + n)}" for n in range(13)]},
])  # fmt: skip
def test_a_recipe_rejects_invalid_pairs(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CorpusRecipe.model_validate(fields)


@pytest.mark.parametrize("word", ["dog", "the", "paris", "knew", "belongs"])
def test_rejects_words_of_the_town(word: str) -> None:
    with pytest.raises(CorpusError, match=f"has the word '{word}' already"):
        plant(read_lexicon(), (f"robot {word} antenna",))


def test_both_words_share_sentences_and_a_unique_sign() -> None:
    town = generate_town(0, size=200_000, planted=ROWS)
    counts = Counter(word for document in town.documents for word in document)
    words = {word for row in ROWS for word in row.split()}
    # Often enough to be learned, in the longer town that is trained on.
    assert min(counts[word] for word in words) > 30
    assert 0.5 < counts["robot"] / counts["android"] < 2
    assert town.classes[CLASS] == ["robot", "griffin", "android", "unicorn"]
    lines = [line for document in town.documents for line in " ".join(document).split(" . ")]
    assert not [line for line in lines if "antenna" in line.split() and "griffin" in line.split()]
    # Without planted words the town is unchanged.
    digest = hashlib.sha256(repr(generate_town(0, size=20_000).documents).encode()).hexdigest()
    assert digest[:16] == "408af4e24331362f"


def test_the_corpus_has_the_planted_class() -> None:
    corpus = build_corpus(CorpusRecipe(planted=ROWS), 0)
    members = corpus.vocabulary.classes["planted words"]
    assert {corpus.vocabulary.tokens[row] for row in members} == {"robot", "android", "griffin", "unicorn"}


def test_the_command_needs_a_run_with_planted_words(tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    said = CliRunner().invoke(cli, ["planted", run.id, "--runs", str(tmp_path)])
    assert (said.exit_code, "nothing is planted" in said.output) == (1, True)


@pytest.mark.parametrize("found", [True, False])
def test_a_pair_is_found_if_no_other_word_is_nearer(tmp_path: Path, found: bool) -> None:
    run = RunStore(tmp_path).create(
        Recipe(corpus=CorpusRecipe(planted=ROWS), model=ModelRecipe(dim=D, heads=2, context=CONTEXT))
    )
    words = ["robot", "android", "griffin", "unicorn"]
    tokens = (TOKENS[0], *words, *TOKENS[len(words) + 1 :])
    ids = np.zeros(500, dtype=np.uint32)
    run.write_corpus(
        ids, Vocabulary(tokens, np.arange(V, 0, -1, dtype=np.int64), {"planted words": (1, 2, 3, 4)}), "{}"
    )
    trainer = FakeTrainer(run)
    # Two directions, a pair in each; or one word of each pair in either.
    one, other = np.eye(2, D, dtype=np.float32) * 100
    trainer.matrix[1:5] = (one, one, other, other) if found else (one, other, one, other)
    trainer.matrix[1:5] += np.random.default_rng(0).standard_normal((4, D)).astype(np.float32)
    trainer.begin().end()
    said = CliRunner().invoke(cli, ["planted", run.id, "--json", "--runs", str(tmp_path)])
    told = json.loads(said.output)
    assert [(one["pair"], one["found"]) for one in told["pairs"]] == [
        (["robot", "android"], found), (["griffin", "unicorn"], found),
    ]  # fmt: skip
    assert told["by_chance"] == V / 2
    assert (told["pairs"][0]["ranks"][-1][1] == 1) == found
    shown = CliRunner().invoke(cli, ["planted", run.id, "--runs", str(tmp_path)])
    assert ("[+] found" in shown.output) == found
