"""A history of checkpoints of many words as a finished run with maps, made up in seconds."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

import lamplighter
from lamplighter.contract.recipe import MapRecipe
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import UNTIL_FACT, LayoutsWriter
from lamplighter.wire.layout_frames import Layout, Method

_CLUSTERS = 900
_SYLLABLES = [a + b + c for a in "bdfglmnprst" for b in "aeiou" for c in ("", "n", "r", "s", "l")]
_JITTER = 0.14
"""Standard deviation of what a place moves by between two maps, besides the way to its cluster. Packed, such a map has 2.3
bytes a word; one that was laid out, of 6,000 words in clusters, has 2.4."""


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
