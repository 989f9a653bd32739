"""The lessons of Lamptown for the default recipe: relations, kindred pairs, opposites and homonyms, for three seeds.

Each seed is trained in this process by the product's own learner, corpus and batches, so that its matrix is that
of the run with this seed. All figures but the homonyms' are of the input matrix.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.support.report import report
from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.build import build_corpus
from lamplighter.corpora.corpus import Corpus
from lamplighter.corpora.lamptown import generate_town
from lamplighter.corpora.lexicon_parser import read_lexicon
from lamplighter.geometry.analogies import analogy_shares
from lamplighter.geometry.pairs import mutual_ranks
from lamplighter.geometry.purity import class_purity, purity_chance
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import build_learner
from lamplighter.model.step import train_step
from lamplighter.model.transformer import Transformer

SEEDS = (0, 1, 2)
RELATIONS = ("capital", "plural", "past", "male female", "opposites")
"""Relations whose analogies are tested: their mean over the seeds has a goal, and the lowest of them a goal a tenth
lower."""
PAIRS = (("dog", "cat"), ("gravity", "mass"), ("joy", "happiness"))
NEAR = 3
"""Each word of a pair must be among this many nearest words of the other, in at least two of three seeds."""
OCCURRENCES = 200
"""Number of occurrences of a homonym read in each of its topics."""


def main() -> bool:
    """Train, measure and print. Returns whether the goals are met."""
    lines = [_train_seed(seed) for seed in SEEDS]
    by_seed = dict(zip(map(str, SEEDS), lines, strict=True))
    met = True
    for name in RELATIONS:
        scores = {seed: line["analogies"][name] for seed, line in by_seed.items()}
        right = [found["accuracy"] for found in scores.values()]
        bench = f"town_{name.replace(' ', '_')}"
        met &= report(bench, float(np.mean(right)), "of the analogies right", by_seed=scores)
        met &= report(f"{bench}_least", min(right), "of the analogies right")
    for pair in PAIRS:
        ranks = {seed: line["ranks"]["/".join(pair)] for seed, line in by_seed.items()}
        near = sum(max(both) <= NEAR for both in ranks.values())
        unit = f"seeds of {len(SEEDS)} in which each is among the other's {NEAR} nearest"
        met &= report(f"town_{'_'.join(pair)}", float(near), unit, ranks=ranks)
    purity = {seed: line["purity"] for seed, line in by_seed.items()}
    chance = lines[0]["purity_chance"]
    unit = "macro 10-NN purity, the least of the seeds"
    met &= report("town_purity", min(purity.values()), unit, by_seed=purity, chance=chance)
    lit = {seed: line["lit"] for seed, line in by_seed.items()}
    met &= report("town_lit", max(lit.values()), "of the rows lit in the median step", by_seed=lit)
    homonyms = {seed: line["homonyms"] for seed, line in by_seed.items()}
    for when, choose in (("end", max), ("start", min)):
        found = {seed: {word: both[when] for word, both in words.items()} for seed, words in homonyms.items()}
        worst = choose(cosine for words in found.values() for cosine in words.values())
        within = {
            seed: {word: both[f"{when}_within"] for word, both in words.items()}
            for seed, words in homonyms.items()
        }
        unit = "cosine of a homonym's two topics in the last layer, the worst of all"
        met &= report(f"town_homonyms_{when}", worst, unit, by_seed=found, within_one_topic=within)
    return met


def _train_seed(seed: int) -> dict[str, Any]:
    print(f"training seed {seed}", file=sys.stderr)
    lesson = TownLesson(seed)
    before = lesson.homonym_cosines()
    for step in range(1, lesson.recipe.steps + 1):
        lesson.train(step)
    return lesson.figures(before)


class TownLesson:
    """A model in training on the town of one seed, with the default recipe."""

    def __init__(self, seed: int) -> None:
        self.recipe = Recipe(seed=seed)
        torch.set_num_threads(self.recipe.threads)
        self.corpus = build_corpus(self.recipe.corpus, seed)
        self.learner = build_learner(self.recipe, len(self.corpus.vocabulary), torch.device("cpu"))
        self.learner.set_learning_rate(self.recipe.optimiser.learning_rate)
        self._batches = BatchReader(self.recipe, self.corpus.token_ids, torch.device("cpu"))
        self._windows = homonym_windows(self.corpus, seed, self.recipe.model.context)

    def train(self, step: int) -> float:
        """Train one step. Return its loss."""
        _, ids, targets = self._batches.batch(step)
        return float(train_step(self.learner, ids, targets).loss)

    def homonym_cosines(self) -> dict[str, tuple[float, float]]:
        """Return the `topic_cosines` of each homonym."""
        return {word: topic_cosines(self.learner.model, *both) for word, both in self._windows.items()}

    def figures(self, before: dict[str, tuple[float, float]]) -> dict[str, Any]:
        """Return all figures of the current model; `before` holds the homonyms' cosines at step 0."""
        vocabulary = self.corpus.vocabulary
        vectors = self.learner.model.embedding.weight.detach().numpy()
        ids = {token: number for number, token in enumerate(vocabulary.tokens)}
        class_of = vocabulary.class_of()
        after = self.homonym_cosines()
        sizes = [len(np.unique(self._batches.batch(step)[0])) for step in range(1, self.recipe.steps + 1)]
        return {
            "analogies": {
                relation.name: dataclasses.asdict(analogy_shares(vectors, relation.pairs, class_of))
                for relation in vocabulary.relations
            },
            "ranks": {f"{a}/{b}": mutual_ranks(vectors, ids[a], ids[b]) for a, b in PAIRS},
            "purity": class_purity(vectors, class_of),
            "purity_chance": purity_chance(class_of),
            "lit": float(np.median(sizes)) / len(vocabulary),
            "homonyms": {
                word: dict(
                    zip(
                        ("start", "start_within", "end", "end_within"),
                        before[word] + after[word],
                        strict=True,
                    )
                )
                for word in after
            },
        }


def homonym_windows(
    corpus: Corpus, seed: int, context: int
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return windows of the town's text that end with a homonym, in each of its two topics, shape (N, context) each.

    A window lies within one document, so all its words belong to the topic.
    """
    town, homonyms = generate_town(seed), read_lexicon().homonyms
    ids = {token: number for number, token in enumerate(corpus.vocabulary.tokens)}
    starts = np.cumsum([0, *map(len, town.documents)])
    found: dict[str, tuple[list[int], list[int]]] = {word: ([], []) for word in homonyms}
    for start, document, topic in zip(starts[:-1].tolist(), town.documents, town.topics, strict=True):
        for word, topics in homonyms.items():
            if topic in topics:
                ends = [at for at, other in enumerate(document) if other == word and at + 1 >= context]
                found[word][topics.index(topic)].extend(start + at for at in ends)
    window = np.arange(1 - context, 1)[None, :]
    tokens = corpus.token_ids.astype(np.int64)
    both = {
        word: tuple(tokens[np.array(ends[:OCCURRENCES])[:, None] + window] for ends in positions)
        for word, positions in found.items()
    }
    assert all((windows[:, -1] == ids[word]).all() for word, pair in both.items() for windows in pair)
    return both  # pyright: ignore[reportReturnType]


def topic_cosines(
    model: Transformer, one: NDArray[np.int64], other: NDArray[np.int64]
) -> tuple[float, float]:
    """Compute the similarity of a word in two topics in the last layer, read at the same position.

    Args:
        model: the model.
        one: windows that end with the word in one topic, shape (N, T).
        other: windows in the other topic, shape (M, T).

    Returns:
        The cosine of the two topics' mean vectors, and the mean cosine of one half of a topic with its other half.
    """
    with torch.no_grad():
        a, b = (
            model.residual_stream(torch.from_numpy(windows))[-1][:, -1].numpy() for windows in (one, other)
        )
    halves = [_cosine(part[::2].mean(axis=0), part[1::2].mean(axis=0)) for part in (a, b)]
    return _cosine(a.mean(axis=0), b.mean(axis=0)), float(np.mean(halves))


def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
