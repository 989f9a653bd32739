"""The examiner on the card: recorded steps recomputed and compared with their digests, and text generation.

The examiner's replayer runs in this process. If a card adds in a different order each time, the digests differ, and the
examiner reports by how much, for each card and optimiser.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.gpu.cards import facts, optimisers, recipes
from benchmarks.support.report import report
from lamplighter.contract.questions import SpeakQuestion
from lamplighter.contract.recipe import Recipe
from lamplighter.examination.kinds.speak import examine
from lamplighter.examination.replayer import Replayer
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.trained_model import synchronise
from tests.support.runs import finish, start_worker

STEPS, REPLAYED = 200, (190, 140, 99, 40, 3, 120)
"""Steps in an order such that each is reached from a different waypoint."""
CADENCE = {"checkpoint_every": 50, "waypoint_every": 50}
SPEAK_STEPS, WORDS, TIMES = 20, 20, 9
PATIENCE = 300
"""Seconds for one run, the start of the card and the corpus in it."""


def replay(device: torch.device) -> bool:
    """Go to steps of a recorded run, and compare each recomputed one with the record."""
    for optimiser in optimisers(device):
        recipe = {"optimiser": {"kind": optimiser}, "cadence": CADENCE, "steps": STEPS, "device": device.type}
        with _trained(Recipe.model_validate(recipe)) as run:
            replayer, found = Replayer(run), list[dict[str, Any]]()
            # The first time initialises the card.
            replayer.model_at(1, _ignore_progress)
            computed, begun = 0, time.perf_counter()

            def count(_share: float, _activity: str) -> None:
                nonlocal computed
                computed += 1

            for step in REPLAYED:
                replayer.model_at(step, count)
                synchronise(device)
                found.append(replayer.describe_replay())
            seconds = time.perf_counter() - begun
        compared = [one for one in found if one["equal"] is not None]
        differences = [one["difference"] for one in compared if one["difference"] is not None]
        report(
            "gpu_examiner_replay", sum(one["equal"] for one in compared) / len(compared),
            "of the replays with the recorded digest at every step",
            replays=len(compared), steps=computed, ms_a_step=1e3 * seconds / computed,
            embedding_differs_at_most=max(differences, default=None),
            optimiser=optimiser, **facts(device),
        )  # fmt: skip
    return True


def speak(device: torch.device) -> bool:
    """Let each model continue a prompt, greedily and by sampling, and check that it repeats itself."""
    for name, recipe in recipes(device).items():
        cadence = {"checkpoint_every": SPEAK_STEPS}
        fields = recipe.model_dump() | {"steps": SPEAK_STEPS, "cadence": cadence}
        with _trained(Recipe.model_validate(fields)) as run:
            model = Replayer(run).model_at(SPEAK_STEPS, _ignore_progress)
            question = SpeakQuestion(step=SPEAK_STEPS, prompt="the dog", words=WORDS)
            first = examine(model, question, _ignore_progress)
            seconds, same = list[float](), 0
            for _ in range(TIMES):
                begun = time.perf_counter()
                again = examine(model, question, _ignore_progress)
                seconds.append(time.perf_counter() - begun)
                same += _words(again) == _words(first)
        report(
            "gpu_speak", 1e3 * float(np.median(seconds)), f"ms for two lines of {WORDS} words, median",
            said_the_same=same / TIMES, model=name, optimiser=recipe.optimiser.kind, **facts(device),
        )  # fmt: skip
    return True


@contextmanager
def _trained(recipe: Recipe) -> Generator[RunFolder]:
    """Train a recipe to its end in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        run = RunStore(Path(folder)).create(recipe)
        if (code := finish(start_worker(run), PATIENCE)) != 0:
            raise RuntimeError(f"the trainer ended with {code}")
        yield run


def _words(answer: dict[str, Any]) -> list[int]:
    return [word["id"] for line in ("greedy", "sampled") for word in answer[line]]


def _ignore_progress(_share: float, _activity: str) -> None:
    """Ignore a progress report."""
