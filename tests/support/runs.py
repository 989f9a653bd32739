"""Small real runs for tests: a few hundred words, and a model that takes a millisecond per step."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.reading.run_status import RunStatus, read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from tests.support.synthetic_runs.forked import Worker
from tests.support.waiting import wait_until

Process = subprocess.Popen[bytes] | Worker


def small_text(words: int = 4_000, seed: int = 7) -> str:
    """Return a deterministic text of sentences over about 200 words."""
    choose = random.Random(seed)
    lexicon = [
        a + b + c for a in "bdfgk" for b in "aeiou" for c in ("l", "n", "r", "s", "ta", "mo", "ri", "zu")
    ]
    lines: list[str] = []
    count = 0
    while count < words:
        topic = choose.randrange(0, len(lexicon) - 30)
        sentence = [lexicon[topic + int(choose.random() ** 2 * 30)] for _ in range(choose.randint(5, 12))]
        lines.append(" ".join(sentence) + ".")
        count += len(sentence) + 1
        if choose.random() < 0.1:
            lines.append("")
    return "\n".join(lines)


def small_recipe(**changes: Any) -> Recipe:
    """Return a recipe for `small_text`; keyword arguments replace top-level fields."""
    fields: dict[str, Any] = {
        "corpus": {"kind": "text", "name": "small.txt", "vocabulary_size": 400},
        "model": {"dim": 16, "layers": 1, "heads": 2, "context": 8},
        "cadence": {"keyframe_every": 20, "checkpoint_every": 25, "verify_every": 10},
        "sequences": 4,
        "passages": 2,
        "steps": 60,
        "seed": 1,
        "device": "cpu",
    }
    return Recipe.model_validate(fields | changes)


def batch_counts(rows: int, tokens: int) -> NDArray[np.uint32]:
    """Return a batch's counts of `rows` rows for `tokens` tokens: all but the first row once."""
    counts = np.ones(rows, dtype=np.uint32)
    counts[0] += tokens - rows
    return counts


def make_run(runs: Path, **changes: Any) -> RunFolder:
    """Create a run of `small_text`, not yet started."""
    return RunStore(runs).create(small_recipe(**changes), small_text())


def start_worker(run: RunFolder, room: str = "training", *words: str) -> Process:
    """Start the worker of a package (`training`, `projection`, `analysis`) on a run."""
    if sys.platform == "linux":
        return Worker(room, str(run.path), *words)
    command = [sys.executable, "-m", f"lamplighter.{room}.worker", str(run.path), *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(process: Process, timeout: float = 60) -> int:
    """Wait for a worker to end. Returns its exit code."""
    _, errors = process.communicate(timeout=timeout)
    if process.returncode not in (0, 3, 4, -signal.SIGKILL):
        raise AssertionError(f"the worker ended with {process.returncode}:\n{errors.decode()}")
    return process.returncode


def kill(process: Process) -> None:
    """Send `kill -9` and reap the process."""
    process.kill()
    process.communicate()


def wait_for_step(run: RunFolder, step: int, timeout: float = 40) -> RunStatus:
    """Wait until the run has completed a step. Returns its status."""
    wait_until(lambda: read_status(run).step >= step, f"step {step} of {run.id}", timeout)
    return read_status(run)
