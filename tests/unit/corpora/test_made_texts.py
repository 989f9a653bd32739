"""User-defined words in Lamptown: their file, their sentences, and whether a model found them.

Sums on a clock: all of them, each once, and right.
Words that come again: which of them can be known, and from where.
The other town: classed words swap jobs, and the frequency of each job hardly changes.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from lamplighter.cli.app import cli
from lamplighter.contract.recipe import SUM_TOKENS, CorpusRecipe, ModelRecipe, Recipe
from lamplighter.corpora.build import build_corpus
from lamplighter.corpora.corpus import CorpusError
from lamplighter.corpora.lamptown import generate_town
from lamplighter.corpora.lexicon_parser import read_lexicon
from lamplighter.corpora.modular import number_ids
from lamplighter.corpora.othertown import deal_jobs, redealt_classes
from lamplighter.corpora.planted import CLASS, parse_planted, plant
from lamplighter.corpora.prompts import encode_prompt
from lamplighter.corpora.repeats import PASSAGE_WORDS, write_passages
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


def sums(modulus: int, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums read and those held out, as numbers (a, b, c)."""
    corpus = build_corpus(CorpusRecipe(kind="modular", modulus=modulus, train_share=share), seed)
    assert corpus.held_out is not None
    texts = [
        [corpus.vocabulary.tokens[token] for token in ids] for ids in (corpus.token_ids, corpus.held_out)
    ]
    rows = [np.array(text).reshape(-1, SUM_TOKENS) for text in texts]
    assert all((row[:, 1] == "+").all() and (row[:, 3] == "=").all() for row in rows)
    return rows[0][:, [0, 2, 4]].astype(int), rows[1][:, [0, 2, 4]].astype(int)


@pytest.mark.parametrize(("modulus", "share"), [(7, 0.4), (12, 0.5), (5, 0.95)])
def test_every_sum_is_right_and_is_read_or_held_out(modulus: int, share: float) -> None:
    read, held_out = sums(modulus, share)
    both = np.concatenate((read, held_out))
    assert ((both[:, 0] + both[:, 1]) % modulus == both[:, 2]).all()
    assert len(np.unique(both[:, :2], axis=0)) == len(both) == modulus**2
    assert len(read) == round(share * modulus**2)


def test_the_seed_decides_what_is_read() -> None:
    assert np.array_equal(sums(11, 0.4)[0], sums(11, 0.4)[0])
    assert not np.array_equal(np.sort(sums(11, 0.4)[0], axis=0), np.sort(sums(11, 0.4, seed=1)[0], axis=0))


def test_a_prompt_is_read_number_by_number() -> None:
    corpus = build_corpus(CorpusRecipe(kind="modular", modulus=59, train_share=0.4), 0)
    ids = encode_prompt(corpus.tokeniser, "50 + 20 =", len(corpus.vocabulary))
    assert [corpus.vocabulary.tokens[token] for token in ids] == ["50", "+", "20", "="]
    counted = np.bincount(corpus.token_ids, minlength=len(corpus.vocabulary))
    assert np.array_equal(corpus.vocabulary.counts, counted)


def test_a_recipe_that_does_not_fit_its_vocabulary_has_no_numbers() -> None:
    recipe = CorpusRecipe(kind="modular", modulus=59, train_share=0.4)
    ids = number_ids(recipe, 62)
    assert ids is not None
    assert np.array_equal(ids, 1 + np.arange(59))
    assert number_ids(recipe, 10) is None
    assert number_ids(CorpusRecipe(), 62) is None


COUNT = 400


def test_only_the_word_before_tells_the_next_one() -> None:
    """The follower of the last same word is right more often than the word at any fixed distance, or the one that rested longest."""
    right: Counter[str] = Counter()
    total = 0
    for passage in write_passages(0, COUNT):
        words = passage.split(" ")
        assert len(words) == PASSAGE_WORDS
        for at in range(16, len(words)):
            total += 1
            before = words[:at]
            matches = [place for place in range(at - 1) if before[place] == before[-1]]
            right["induction"] += bool(matches) and before[matches[-1] + 1] == words[at]
            for back in range(2, 17):
                right[f"{back} back"] += before[-back] == words[at]
            last_seen = {word: place for place, word in enumerate(before)}
            right["longest ago"] += min(last_seen, key=last_seen.__getitem__) == words[at]
    [(best, hits), (_, second)] = right.most_common(2)
    assert best == "induction"
    assert hits > 0.7 * total
    assert second < 0.25 * total


def test_the_passages_held_out_are_others() -> None:
    corpus = build_corpus(CorpusRecipe(kind="repeats"), 3)
    assert corpus.held_out is not None
    assert len(corpus.token_ids) % PASSAGE_WORDS == 0
    assert 0 not in corpus.token_ids
    first = [corpus.vocabulary.tokens[token] for token in corpus.token_ids[:PASSAGE_WORDS]]
    assert [" ".join(first)] == write_passages(3, 1)
    # The passages held out are others.
    passages = {tuple(one) for one in corpus.token_ids.reshape(-1, PASSAGE_WORDS).tolist()}
    unread = {tuple(one) for one in corpus.held_out.reshape(-1, PASSAGE_WORDS).tolist()}
    assert not passages & unread
    # A model of the town knows the words.
    known = {word for words in read_lexicon().classes.values() for word in words}
    assert set(corpus.vocabulary.tokens[1:]) <= known


WORDS = 100


@pytest.fixture
def vocabulary() -> Vocabulary:
    """Return a hundred words of falling frequency, three quarters of them in classes of five."""
    classes = {f"class {at}": tuple(range(25 + 5 * at, 30 + 5 * at)) for at in range(15)}
    return Vocabulary(tuple(map(str, range(WORDS))), np.arange(WORDS, 0, -1, dtype=np.int64) * 10, classes)


def test_classed_words_change_jobs_within_their_block_and_no_others_do(vocabulary: Vocabulary) -> None:
    jobs = deal_jobs(vocabulary, seed=0, block=10)
    assert sorted(jobs) == list(range(WORDS))
    assert (jobs[:25] == np.arange(25)).all()
    # Hardly one word in ten keeps its job.
    assert (jobs[25:] != np.arange(25, WORDS)).sum() > 50
    assert ((jobs[25:] - 25) // 10 == (np.arange(25, WORDS) - 25) // 10).all()


def test_counts_and_coverage_hardly_change(vocabulary: Vocabulary) -> None:
    jobs = deal_jobs(vocabulary, seed=0, block=10)
    text = np.repeat(np.arange(WORDS), vocabulary.counts)
    counts = np.bincount(jobs[text], minlength=WORDS)
    assert sorted(counts) == sorted(vocabulary.counts)
    assert np.abs(counts - vocabulary.counts).max() < 10 * 10


def test_classes_move_with_the_jobs(vocabulary: Vocabulary) -> None:
    class_of, jobs = vocabulary.class_of(), deal_jobs(vocabulary, seed=0)
    other = redealt_classes(class_of, jobs)
    assert all(other[jobs[word]] == class_of[word] for word in range(WORDS))
    assert (np.bincount(other + 1) == np.bincount(class_of + 1)).all()
    assert (other != class_of).any()


def test_seeds_give_different_towns(vocabulary: Vocabulary) -> None:
    first, again, other = (deal_jobs(vocabulary, seed) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_without_classes_all_known_words_change_jobs(vocabulary: Vocabulary) -> None:
    jobs = deal_jobs(replace(vocabulary, classes={}), seed=0)
    assert sorted(jobs) == list(range(WORDS))
    assert jobs[0] == 0
    assert (jobs[1:] != np.arange(1, WORDS)).sum() > 80
