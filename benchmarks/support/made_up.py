"""Data that are made up because of their size: spaces in clusters, texts, and histories of checkpoints."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import lamplighter
from lamplighter.contract.recipe import MapRecipe
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import UNTIL_FACT, LayoutsWriter
from lamplighter.wire.layout_frames import Layout, Method

_SYLLABLES = [a + b + c for a in "bdfglmnprst" for b in "aeiou" for c in ("", "n", "r", "s", "l")]
_CLUSTERS = 900
_JITTER = 0.14
"""Standard deviation of what a place moves by between two maps, besides the way to its cluster. Packed, such a map has 2.3
bytes a word; one that was laid out, of 6,000 words in clusters, has 2.4."""


def made_up_clusters(rng: np.random.Generator, size: int, dim: int) -> NDArray[np.float32]:
    """Return clusters of about forty rows each, like those of words, shape (size, dim)."""
    centres = rng.normal(size=(max(2, size // 40), dim))
    return (centres[rng.integers(0, len(centres), size)] + 0.8 * rng.normal(size=(size, dim))).astype(
        np.float32
    )


def move_rows(rng: np.random.Generator, vectors: NDArray[np.float32], count: int) -> None:
    """Move `count` rows of `vectors` in place, by about a sixth of their spread within the cluster."""
    some = rng.choice(len(vectors), count, replace=False)
    vectors[some] += 0.15 * rng.normal(size=(count, vectors.shape[1])).astype(np.float32)


def made_text(words: int, tokens: int) -> str:
    """Return a text of so many tokens and made-up words: each once, and more by Zipf's law, in sentences of 15."""
    syllables = [one + other for one in "bdfgklmnprstvz" for other in ("a", "e", "i", "o", "u")]
    names = ["".join(one) for one in itertools.islice(itertools.product(syllables, repeat=3), words)]
    random = np.random.default_rng(0)
    shares = 1 / np.arange(1, words + 1)
    drawn = random.choice(words, tokens - words, p=shares / shares.sum())
    order = random.permutation(np.concatenate((np.arange(words), drawn)))
    said = [names[at] for at in order]
    return ".\n".join(" ".join(said[at : at + 15]) for at in range(0, len(said), 15))


def make_history(path: Path, checkpoints: int, size: int, width: int) -> RunFolder:
    """Record a run of `checkpoints` tables of `size` x `width`, each with two maps."""
    random = np.random.default_rng(37)
    syllables = random.integers(0, len(_SYLLABLES), (size, 3))
    words = [f"{''.join(_SYLLABLES[one] for one in some)}{at}" for at, some in enumerate(syllables)]
    of = random.integers(0, _CLUSTERS, size)
    goal = random.normal(size=(_CLUSTERS, width))[of] + 0.5 * random.normal(size=(size, width))
    start = random.normal(scale=0.02, size=(size, width))
    shares = 1 / (1 + np.exp(-np.linspace(-5, 5, checkpoints)))
    tables = {
        1_000 * at: (start + share * goal).astype(np.float32) for at, share in enumerate(shares.tolist())
    }
    run = RunFolder(lamplighter.series(path, tables, words, maps=False).folder)
    middle = random.normal(scale=7, size=(_CLUSTERS, 2))[of] + random.normal(scale=0.4, size=(size, 2))
    crowd = random.normal(scale=3, size=(size, 2))
    with LayoutsWriter(run.relayouts_path) as writer:
        for step, share in enumerate(shares.tolist()):
            trust = np.clip(random.normal(120 + 100 * share, 14, size), 0, 255).astype(np.uint8)
            places = crowd + share * (middle - crowd) + random.normal(scale=_JITTER, size=(size, 2))
            for method in (Method.LINEAR, Method.UMAP):
                writer.commit(
                    Layout(
                        1, step, time.time(), method, places.astype(np.float32), 0.9, 0.01, 0.5, 500, trust
                    )
                )
        writer.set_facts({"map": MapRecipe().model_dump(), "made": time.time(), UNTIL_FACT: checkpoints - 1})
        writer.close(sealed=True)
    return run
