"""How many words a text of one's own needs until districts appear: the Python manuals, cut to a few lengths.

Each length is trained in this process by the product's own learner, corpus and batches, with the vocabulary that the
form for a new run proposes, and beside it with the default vocabulary where that is another. A district is what the
projector's tracker calls one. The loss on the words that follow the text says what is known by heart: what was learned
of the language holds for them as well, what was remembered does not. What can only be judged by eye, the neighbours of a
few words and the names of the districts after as many steps as the form proposes, goes to standard error.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import torch

from benchmarks.report import report
from lamplighter.corpora.build import build_corpus
from lamplighter.corpora.python_docs import read_python_docs
from lamplighter.corpora.text_survey import survey_text
from lamplighter.corpora.textfile import split_paragraphs
from lamplighter.corpora.tokenisers import encode_with
from lamplighter.geometry.neighbours import all_nearest
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.held_out import HeldOutLoss
from lamplighter.model.learner import build_learner
from lamplighter.model.step import train_step
from lamplighter.projection.districts.tracker import DistrictTracker
from lamplighter.recipe import CorpusRecipe, Recipe

LENGTHS = (4_000, 10_000, 30_000, 60_000, 100_000, 200_000, 400_000, 800_000)
"""Words of the manuals, from their beginning."""
STEPS = (500, 1_000, 2_500, 5_000)
"""Steps after which the embedding is looked at."""
DEFAULT_VOCABULARY_FOR = (30_000, 100_000)
"""Lengths trained with the default vocabulary as well."""
FEW = 5
"""Districts from which on a map shows some."""
_UNREAD_WORDS = 20_000
_NEIGHBOURS = 15
_PROBES = ("function", "file", "thread", "string", "error", "returns", "two", "must")


def main() -> bool:
    """Train, measure and print. Returns True: there is no goal, the figures are for the form's advice."""
    documents = split_paragraphs(read_python_docs())
    by_words: dict[str, Any] = {}
    for words in LENGTHS:
        text, unread = _cut(documents, words)
        survey = survey_text(text)
        by_words[str(words)] = _train(text, unread, survey.steps, survey.vocabulary)
        default = CorpusRecipe().vocabulary_size
        if words in DEFAULT_VOCABULARY_FOR and survey.vocabulary != default:
            by_words[f"{words} vocabulary {default}"] = _train(text, unread, survey.steps, default)
    enough = [words for words in LENGTHS if by_words[str(words)]["districts_as_proposed"] >= FEW]
    unit = f"words from which on there are {FEW} districts after the steps that the form proposes"
    return report("own_text", float(min(enough, default=0)), unit, by_words=by_words)


def _cut(documents: list[str], words: int) -> tuple[str, list[str]]:
    """Return the first documents, of about so many words, as a text; and those after them."""
    ends = np.cumsum([document.count(" ") + 1 for document in documents])
    cut, after = np.searchsorted(ends, [words, words + _UNREAD_WORDS]) + 1
    return "\n\n".join(documents[:cut]), documents[cut:after]


def _train(text: str, unread: list[str], proposed: int, vocabulary_size: int) -> dict[str, Any]:
    recipe = Recipe(corpus=CorpusRecipe(kind="text", vocabulary_size=vocabulary_size), steps=STEPS[-1])
    torch.set_num_threads(recipe.threads)
    corpus = build_corpus(recipe.corpus, recipe.seed, text)
    cpu = torch.device("cpu")
    learner = build_learner(recipe, len(corpus.vocabulary), cpu)
    learner.set_learning_rate(recipe.optimiser.learning_rate)
    batches = BatchReader(recipe, corpus.token_ids, cpu)
    held_out = HeldOutLoss(recipe, encode_with(corpus.tokeniser, unread)[0])
    counts = corpus.vocabulary.counts / corpus.vocabulary.counts.sum()
    known = counts[counts > 0]
    tracker = DistrictTracker(corpus.vocabulary)
    begun, losses, by_step = time.monotonic(), [0.0], {}
    for step in range(1, recipe.steps + 1):
        _, ids, targets = batches.batch(step)
        losses.append(float(train_step(learner, ids, targets).loss))
        if step not in (*STEPS, proposed):
            continue
        vectors = learner.model.embedding.weight.detach().numpy()
        nearest = all_nearest(vectors, _NEIGHBOURS)
        members, names, _ = tracker.detect(vectors, *nearest, final=True)
        by_step[str(step)] = {
            "districts": len(members),
            "share_of_words_in_one": sum(map(len, members.values())) / len(corpus.vocabulary),
            "loss": float(np.mean(losses[-100:])),
            "loss_unread": held_out.measure(learner),
        }
        if step == proposed:
            _print_neighbours(corpus.vocabulary.tokens, nearest[0], list(names.values()))
    print(f"{len(corpus.token_ids):,} words: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return {
        "words": len(corpus.token_ids),
        "steps_proposed": proposed,
        "districts_as_proposed": by_step[str(proposed)]["districts"],
        "vocabulary": len(corpus.vocabulary),
        "unknown": float(counts[0]),
        "loss_of_frequencies": float(-(known * np.log(known)).sum()),
        "readings": recipe.steps * recipe.batch_tokens / len(corpus.token_ids),
        "by_step": by_step,
    }


def _print_neighbours(tokens: tuple[str, ...], ids: np.ndarray[Any, Any], districts: list[str]) -> None:
    """Print what can only be judged by eye."""
    for number, token in enumerate(tokens):
        if token in _PROBES:
            print(f"  {token}: {', '.join(tokens[other] for other in ids[number][:6])}", file=sys.stderr)
    print(f"  districts: {'; '.join(districts[:40])}", file=sys.stderr)
