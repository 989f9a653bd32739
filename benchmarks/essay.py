"""A table of the size of an essay's: 50,000 tokens x 1,024, two layers, with a sampled softmax, through the whole chain.

A real trainer process records 128 tokens a step on two threads, and a real projector then draws the first map. The other side
is the same recipe with the whole softmax. What is timed is the time between the ends of steps, so observing and committing are
in it, but no keyframe. Memory is that of each process, sampled while it runs.

The text is made up, because no text that comes with the program has 50,000 words: as many of them, drawn by Zipf's law, each at
least once. `LAMPLIGHTER_ESSAY_TEXT` names a file to read instead. What the sample does to the loss is measured on real text
(docs/decisions/0047-sampled-softmax.md).
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.support.memory import peak_memory
from benchmarks.support.report import report
from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.corpus_setup import prepare_corpus
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse

VOCABULARY, TOKENS = 50_000, 1_000_000
STEPS, WARM = 60, 10
WHOLE_STEPS = 25
NEGATIVES = 4_096


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    path = os.environ.get("LAMPLIGHTER_ESSAY_TEXT")
    text = Path(path).read_text(encoding="utf-8") if path else made_text(VOCABULARY, TOKENS)
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder))
        run = store.create(essay_recipe(), text)
        trained, memory = _train(run)
        whole, _ = _train(store.create(essay_recipe(negatives=None, steps=WHOLE_STEPS), text))
        facts = {
            "busy": psutil.getloadavg()[0],
            "tokens": run.recipe.batch_tokens,
            "vocabulary": len(run.vocabulary),
            "whole_softmax": whole,
        }
        met = report("essay_steps", trained, "steps/s of the trainer", **facts)
        met &= report("essay_memory", memory, "GB at most, trainer")
        seconds, memory, trust = _draw_map(run)
    met &= report("essay_map", seconds, "s from the start of the projector to the first map", trust=trust)
    return report("essay_map_memory", memory, "GB at most, projector") and met


def essay_recipe(device: str = "cpu", negatives: int | None = NEGATIVES, steps: int = STEPS) -> Recipe:
    """Return the recipe of the essay: 128 tokens a step on two threads, no keyframe after the first."""
    return Recipe.model_validate(
        {
            "corpus": {"kind": "text", "name": "essay.txt", "vocabulary_size": VOCABULARY},
            "model": {"dim": 1_024, "layers": 2, "heads": 16, "context": 64, "negatives": negatives},
            "optimiser": {"learning_rate": 5e-4},
            "sequences": 2,
            "passages": 2,
            "steps": steps,
            "threads": 2,
            "device": device,
            "disk_budget": 20_000_000_000,
        }
    )


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


def _train(run: RunFolder) -> tuple[float, float]:
    """Train a run in a process of its own. Returns its steps a second, after the first few, and its memory in GB."""
    prepare_corpus(run)
    memory = _work("training.worker", run)
    with StepsReader(run.steps_path) as reader:
        pulses = [decode_as(data, Pulse) for _, data in reader.pulses(1, run.recipe.steps)]
    assert len(pulses) == run.recipe.steps, "the training did not come to its end"
    first, last = pulses[WARM - 1], pulses[-1]
    return (last.step - first.step) / (last.time - first.time), memory


def _draw_map(run: RunFolder) -> tuple[float, float, dict[str, Any]]:
    """Draw a finished run. Returns the seconds to its first layout, the memory in GB, and how far to trust the layout."""
    started = time.time()
    memory = _work("projection.worker", run)
    with LayoutsReader(run.layouts_path) as reader:
        entry = reader.last_layout_entry()
    assert entry is not None, "no map was drawn"
    trust = {"trust": entry.trust, "recall": entry.recall, "step": entry.step}
    return run.layouts_path.stat().st_mtime - started, memory, trust


def _work(worker: str, run: RunFolder) -> float:
    """Run a worker to its end. Returns its memory in GB."""
    process = subprocess.Popen([sys.executable, "-m", f"lamplighter.{worker}", str(run.path)])
    with peak_memory(process.pid) as memory:
        assert process.wait() == 0
    return memory["gigabytes"]
