"""What a model learns of Lamptown: when its planted classes appear, and the lessons of the finished default run."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.support.report import report
from benchmarks.support.server import serving, stop
from benchmarks.support.training import BareTraining
from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.build import build_corpus
from lamplighter.corpora.corpus import Corpus
from lamplighter.corpora.lamptown import generate_town
from lamplighter.corpora.lexicon_parser import read_lexicon
from lamplighter.geometry.analogies import analogy_shares
from lamplighter.geometry.pairs import mutual_ranks
from lamplighter.geometry.purity import class_purity, purity_chance
from lamplighter.model.transformer import Transformer
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode
from lamplighter.wire.pulse_frames import Pulse
from tests.support.application import Application, Follower

SECONDS = (0, 5, 10, 15, 20, 25, 30)
SEEDS = (0, 1, 2)
RELATIONS = ("capital", "plural", "past", "male female", "opposites")
"""Relations whose analogies are tested: their mean over the seeds has a goal, and the lowest of them a goal a tenth
lower."""
PAIRS = (("dog", "cat"), ("gravity", "mass"), ("joy", "happiness"))
NEAR = 3
"""Each word of a pair must be among this many nearest words of the other, in at least two of three seeds."""
OCCURRENCES = 200
"""Number of occurrences of a homonym read in each of its topics."""


def measure_purity() -> None:
    """Measure the time until meaning appears: 10-NN purity of Lamptown's classes while the default recipe trains.

    The real application runs: server, trainer, projector and analyst as `lamplighter` starts them, and three
    websocket clients that follow every channel. The control is the same text with its words shuffled inside each
    document, so that any remaining purity comes from topics alone.
    """
    with serving("serve") as application:
        real = _train_for_a_while(application, {})
        control = _train_for_a_while(application, {"corpus": {"kind": "lamptown", "shuffle_words": True}})
    report(
        "purity",
        real["purity"],
        "macro 10-NN purity after 30 s of training",
        chance=real["chance"],
        control=control["purity"],
        by_second=real["by_second"],
        steps=real["steps"],
        vocabulary=real["vocabulary"],
        classes=real["classes"],
        viewers=3,
    )
    report("purity_lit", real["lit"], "of the rows lit in the median step")
    margin = real["purity"] - control["purity"]
    unit = "purity above the shuffled control's"
    report("purity_control", margin, unit, control_by_second=control["by_second"])


def _train_for_a_while(application: Application, recipe: dict[str, Any]) -> dict[str, Any]:
    with contextlib.ExitStack() as stack:
        run = application.start_run(recipe)
        for _ in range(3):
            stack.enter_context(Follower(application, run.id))
        # Count from the first step, not from the start of the process.
        while (begun := _first_step(run)) is None:
            time.sleep(0.05)
        time.sleep(max(0.0, begun + SECONDS[-1] + 1 - time.time()))
        stop(application, run)
    return _measure_purity(run)


def _first_step(run: RunFolder) -> float | None:
    try:
        with StepsReader(run.steps_path) as reader:
            records = reader.pulses(1, 1)
    except FileNotFoundError:
        return None
    return decode(records[0][1]).time if records else None


def _measure_purity(run: RunFolder) -> dict[str, Any]:
    """Compute purity by seconds of training, and other figures, from the run's record."""
    classes = run.vocabulary.class_of()
    with MatrixHistory(run) as history:
        decoded = (decode(record) for _, record in history.steps.pulses(1, 1_000_000, 1_000_000))
        pulses = [pulse for pulse in decoded if isinstance(pulse, Pulse)]
        begun = pulses[0].time - pulses[0].step_seconds
        by_second: dict[str, float] = {}
        last = 0
        for second in SECONDS:
            last = max((p.step for p in pulses if p.time <= begun + second), default=0)
            by_second[str(second)] = round(float(class_purity(history.snapshot(last).vectors, classes)), 4)
    return {
        "purity": by_second["30"],
        "by_second": by_second,
        "chance": purity_chance(classes),
        "steps": last,
        "lit": float(np.median([len(p.batch_ids) / p.vocabulary for p in pulses])),
        "vocabulary": len(run.vocabulary),
        "classes": len(run.vocabulary.classes),
    }


def measure_town() -> None:
    """Measure the lessons of Lamptown for the default recipe: relations, kindred pairs, opposites and homonyms, of three seeds.

    Each seed is trained in this process by the product's own learner, corpus and batches, so that its matrix is that
    of the run with this seed. All figures but the homonyms' are of the input matrix.
    """
    lines = {str(seed): _train_seed(seed) for seed in SEEDS}
    told = {figure: {seed: line[figure] for seed, line in lines.items()} for figure in lines[str(SEEDS[0])]}
    for name in RELATIONS:
        right = [found["accuracy"] for found in told[name].values()]
        bench = f"town_{name.replace(' ', '_')}"
        report(bench, np.mean(right), "of the analogies right", by_seed=told[name])
        report(f"{bench}_least", min(right), "of the analogies right")
    for pair in PAIRS:
        near = sum(max(both) <= NEAR for both in told["/".join(pair)].values())
        unit = f"seeds of {len(SEEDS)} in which each is among the other's {NEAR} nearest"
        report(f"town_{'_'.join(pair)}", float(near), unit, ranks=told["/".join(pair)])
    purity, chance = told["purity"], told["chance"][str(SEEDS[0])]
    unit = "macro 10-NN purity, the least of the seeds"
    report("town_purity", min(purity.values()), unit, by_seed=purity, chance=chance)
    lit = told["lit"]
    report("town_lit", max(lit.values()), "of the rows lit in the median step", by_seed=lit)
    for when, choose in (("end", max), ("start", min)):
        found, within = (
            {seed: {word: both[at] for word, both in words.items()} for seed, words in told[when].items()}
            for at in (0, 1)
        )
        worst = choose(cosine for words in found.values() for cosine in words.values())
        unit = "cosine of a homonym's two topics in the last layer, the worst of all"
        report(f"town_homonyms_{when}", worst, unit, by_seed=found, within_one_topic=within)


def _train_seed(seed: int) -> dict[str, Any]:
    """Train the town of one seed, with the default recipe. Returns its figures by name; homonyms have their `topic_cosines`."""
    print(f"training seed {seed}", file=sys.stderr)
    recipe = Recipe(seed=seed)
    corpus = build_corpus(recipe.corpus, seed)
    training, vocabulary = BareTraining(recipe, corpus.token_ids, corpus.vocabulary), corpus.vocabulary
    model, windows = training.learner.model, homonym_windows(corpus, seed, recipe.model.context)
    start = {word: topic_cosines(model, *both) for word, both in windows.items()}
    training.train(recipe.steps)
    vectors, class_of = model.embedding.weight.detach().numpy(), vocabulary.class_of()
    ids = {token: number for number, token in enumerate(vocabulary.tokens)}
    sizes = [len(np.unique(training.batches.batch(step)[0])) for step in range(1, recipe.steps + 1)]
    return {
        **{
            relation.name: dataclasses.asdict(analogy_shares(vectors, relation.pairs, class_of))
            for relation in vocabulary.relations
        },
        **{f"{a}/{b}": mutual_ranks(vectors, ids[a], ids[b]) for a, b in PAIRS},
        "purity": class_purity(vectors, class_of),
        "chance": purity_chance(class_of),
        "lit": float(np.median(sizes)) / len(vocabulary),
        "start": start,
        "end": {word: topic_cosines(model, *both) for word, both in windows.items()},
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
