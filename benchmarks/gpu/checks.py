"""The checks: training on a card, what is recomputed there, and the map's nearest neighbours.

- Steps a second beside the processor, the cost of observation, and energy a step.
- A table of the size of an essay's, 50,000 tokens x 1,024, with a sampled softmax and with the whole one.
- A run recomputed and compared with the first, bit for bit. On a processor they are equal, which `make soak` relies on. A card
  may add in a different order each time; then a killed run continues as a new attempt, which is allowed. This shows for which
  card and optimiser that happens.
- The examiner, whose replayer runs in this process: recorded steps recomputed and compared with their digests, and text
  generation. If digests differ, it reports by how much, for each card and optimiser.
- The map's nearest neighbours by matrix products, compared with the processor in speed and result. One thread of the processor
  on both sides, as the projector has.
"""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.observation import measure
from benchmarks.support.made_up import made_text, made_up_clusters, move_rows
from benchmarks.support.report import report
from benchmarks.support.training import BareTraining, prepared, trained
from lamplighter.contract.answers.parts import Replayed
from lamplighter.contract.answers.reading import SpeakAnswer
from lamplighter.contract.questions import SpeakQuestion
from lamplighter.contract.recipe import MapRecipe, Recipe
from lamplighter.examination.examined_model import Replayer
from lamplighter.examination.kinds.speak import examine
from lamplighter.model.learner import choose_device
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.reading.spent_energy import read_run_energy
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.trained_model import synchronise
from living_map import nearest_neighbours
from living_map.gpu_neighbours import CpuProducts, GpuProducts, RowProducts
from living_map.nearest_neighbours import NeighbourIndex
from tests.support.runs import finish, kill, start_worker, wait_for_step

LARGE: dict[str, Any] = {
    "model": {"dim": 512, "layers": 6, "heads": 8, "context": 128},
    "sequences": 32,
}
"""Twenty million parameters and 4,096 tokens a step: enough work for a card."""
WARM, SECONDS = 3, 5.0
BLOCKS, BLOCK_STEPS = 12, 25
VOCABULARY = 50_000
METERED_STEPS = 500
REPLAY_STEPS, KILL_AT = 400, 120
REPLAY_CADENCE = {"checkpoint_every": 50}
EXAMINED_STEPS, REPLAYED = 200, (190, 140, 99, 40, 3, 120)
"""Steps in an order such that each is reached from a different waypoint."""
EXAMINED_CADENCE = {"checkpoint_every": 50, "waypoint_every": 50}
SPEAK_STEPS, WORDS, TIMES = 20, 20, 9
PATIENCE = 300
"""Seconds for one run, the start of the card and the corpus in it."""
SIZES, DIM, FRAMES = (5_000, 20_000), 64, 5
SHARE = 0.05
"""The share of rows that move from frame to frame."""


def find_card() -> torch.device | None:
    """Find the card that the trainer would use; None: there is none."""
    # Not the default recipe, because not every card supports its lazy updates.
    device = choose_device(Recipe.model_validate({"optimiser": {"kind": "adam"}}))
    return None if device.type == "cpu" else device


def optimisers(device: torch.device) -> tuple[str, ...]:
    """Name the optimisers that the device can run, the default's first."""
    # Sparse gradients have no MPS kernels.
    return ("adam",) if device.type == "mps" else ("lazy", "adam")


def recipes(device: torch.device) -> dict[str, Recipe]:
    """Make the models to measure, by name. A processor, used only for trying out checks, gets the small one."""
    common = {"optimiser": {"kind": optimisers(device)[0]}, "device": device.type}
    shapes = {"default": {}} if device.type == "cpu" else {"default": {}, "large": LARGE}
    return {name: Recipe.model_validate(common | shape) for name, shape in shapes.items()}


def facts(device: torch.device) -> dict[str, str]:
    """Describe the card, for the lines of a report."""
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {"device": device.type, "card": card, "torch": torch.__version__}


def speed(device: torch.device) -> None:
    """Measure the bare steps a second of each model, on the card and on the processor."""
    for name, recipe in recipes(device).items():
        with prepared(recipe) as run:
            rate = measure_rate(recipe, run, device)
            # Use all threads instead of the recipe's one, for a fair comparison.
            processor = measure_rate(recipe, run, torch.device("cpu"), os.cpu_count())
        report(
            "gpu_training", rate, "steps/s", model=name, optimiser=recipe.optimiser.kind,
            processor_steps_per_second=processor, times=rate / processor, threads=torch.get_num_threads(),
            **facts(device),
        )  # fmt: skip


def observation(device: torch.device) -> None:
    """Measure the steps a second that are observed and recorded, as a share of the bare ones."""
    for name, recipe in recipes(device).items():
        measured = measure(recipe, BLOCKS, BLOCK_STEPS)
        report(
            "gpu_observation", measured.share("ours"), "of the bare loop's steps/s",
            model=name, optimiser=recipe.optimiser.kind, **measured.facts(), **facts(device),
        )  # fmt: skip


def measure_rate(recipe: Recipe, run: RunFolder, device: torch.device, threads: int | None = None) -> float:
    """Train for some seconds, waiting for the device after each step as the trainer does."""
    training = BareTraining(recipe, run.token_ids, run.vocabulary, device)
    if threads is not None:
        torch.set_num_threads(threads)
    begun = 0.0
    while training.step <= WARM or time.perf_counter() - begun < SECONDS:
        if training.step == WARM:
            begun = time.perf_counter()
        training.train()
        synchronise(device)
    return (training.step - WARM) / (time.perf_counter() - begun)


def essay(device: torch.device) -> None:
    """Measure the bare steps a second, and the memory of the card. A processor tries it out with a small vocabulary."""
    if device.type == "mps":
        print("essay: sparse gradients have no MPS kernels: not run")
        return
    words = VOCABULARY if device.type == "cuda" else 500
    with prepared(_essay_recipe(device.type), made_text(words, 20 * words)) as run:
        rates = {
            name: measure_rate(_essay_recipe(device.type, negatives), run, device)
            for name, negatives in (("sampled", run.recipe.model.negatives), ("whole", None))
        }
    memory = torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else None
    report(
        "gpu_essay", rates["sampled"], "steps/s", whole_softmax=rates["whole"],
        tokens=run.recipe.batch_tokens, memory_gb=memory, **facts(device),
    )  # fmt: skip


def _essay_recipe(device: str, negatives: int | None = 4_096) -> Recipe:
    """Return the recipe of the essay: 128 tokens a step, two layers."""
    return Recipe.model_validate(
        {
            "corpus": {"kind": "text", "name": "essay.txt", "vocabulary_size": VOCABULARY},
            "model": {"dim": 1_024, "layers": 2, "heads": 16, "context": 64, "negatives": negatives},
            "optimiser": {"learning_rate": 5e-4},
            "sequences": 2,
            "passages": 2,
            "threads": 2,
            "device": device,
        }
    )


def meter(device: torch.device) -> bool:
    """Train each model and print the joules per step. Returns whether an NVIDIA card counted them."""
    met = True
    for name, recipe in recipes(device).items():
        metered = recipe.model_copy(update={"steps": METERED_STEPS})
        with trained(metered) as (run, _), StepsReader(run.steps_path) as reader:
            energy = read_run_energy(reader)
        assert energy is not None
        spent, method = energy.spent, energy.used.method.name
        report(
            "gpu_energy", spent.joules / METERED_STEPS, "J a step", model=name, method=method,
            watts=spent.joules / max(spent.seconds, 1e-9), **facts(device),
        )  # fmt: skip
        met = met and (method == "nvml" or device.type != "cuda")
    return met


def replay(device: torch.device) -> None:
    """Train one recipe three times, once with a kill, and compare the others with the first."""
    for optimiser in optimisers(device):
        with tempfile.TemporaryDirectory() as folder:
            recipe = Recipe.model_validate(
                {
                    "optimiser": {"kind": optimiser},
                    "cadence": REPLAY_CADENCE,
                    "steps": REPLAY_STEPS,
                    "device": device.type,
                }
            )
            run_store = RunStore(Path(folder))
            first, again, killed = (run_store.create(recipe) for _ in range(3))
            for run in (first, again):
                finish(start_worker(run), PATIENCE)
            process = start_worker(killed)
            wait_for_step(killed, KILL_AT, PATIENCE)
            kill(process)
            killed_at = read_status(killed).step
            finish(start_worker(killed), PATIENCE)
            _compare_runs("gpu_replay", first, again, optimiser=optimiser, **facts(device))
            _compare_runs(
                "gpu_resume", first, killed, killed_at=killed_at, optimiser=optimiser, **facts(device)
            )


def _compare_runs(bench: str, first: RunFolder, run: RunFolder, **conditions: Any) -> None:
    status = read_status(run)
    if (status.phase, status.step) != ("finished", REPLAY_STEPS):
        raise RuntimeError(f"{run.id} is {status.phase} at step {status.step}: {status.message}")
    with MatrixHistory(first) as one, MatrixHistory(run) as other:
        digests, others = (history.steps.digests(1, REPLAY_STEPS) for history in (one, other))
        unlike = [step for step in range(1, REPLAY_STEPS + 1) if digests[step] != others[step]]
        off = np.abs(one.snapshot(REPLAY_STEPS).vectors - other.snapshot(REPLAY_STEPS).vectors)
        report(
            bench, 1 - len(unlike) / REPLAY_STEPS, "of the steps bit for bit the same",
            steps=REPLAY_STEPS, first_that_differs=unlike[0] if unlike else None,
            last_matrix_differs_at_most=float(off.max()), attempts=status.attempt,
            **conditions,
        )  # fmt: skip


def replay_examined(device: torch.device) -> None:
    """Go to steps of a recorded run, and compare each recomputed one with the record."""
    for optimiser in optimisers(device):
        recipe = {
            "optimiser": {"kind": optimiser},
            "cadence": EXAMINED_CADENCE,
            "steps": EXAMINED_STEPS,
            "device": device.type,
        }
        with _trained(Recipe.model_validate(recipe)) as run:
            replayer, found = Replayer(run), list[Replayed]()
            # The first time initialises the card.
            replayer.model_at(1, _ignore)
            computed, begun = 0, time.perf_counter()

            def count(_share: float, _activity: str) -> None:
                nonlocal computed
                computed += 1

            for step in REPLAYED:
                replayer.model_at(step, count)
                synchronise(device)
                found.append(replayer.describe_replay())
            seconds = time.perf_counter() - begun
        compared = [one for one in found if one.equal is not None]
        differences = [one.difference for one in compared if one.difference is not None]
        report(
            "gpu_examiner_replay", sum(one.equal is True for one in compared) / len(compared),
            "of the replays with the recorded digest at every step",
            replays=len(compared), steps=computed, ms_a_step=1e3 * seconds / computed,
            embedding_differs_at_most=max(differences, default=None),
            optimiser=optimiser, **facts(device),
        )  # fmt: skip


def speak(device: torch.device) -> None:
    """Let each model continue a prompt, greedily and by sampling, and check that it repeats itself."""
    for name, recipe in recipes(device).items():
        cadence = {"checkpoint_every": SPEAK_STEPS}
        fields = recipe.model_dump() | {"steps": SPEAK_STEPS, "cadence": cadence}
        with _trained(Recipe.model_validate(fields)) as run:
            model = Replayer(run).model_at(SPEAK_STEPS, _ignore)
            question = SpeakQuestion(step=SPEAK_STEPS, prompt="the dog", words=WORDS)
            first = examine(model, question, _ignore)
            seconds, same = list[float](), 0
            for _ in range(TIMES):
                begun = time.perf_counter()
                again = examine(model, question, _ignore)
                seconds.append(time.perf_counter() - begun)
                same += _words(again) == _words(first)
        report(
            "gpu_speak", 1e3 * float(np.median(seconds)), f"ms for two lines of {WORDS} words, median",
            said_the_same=same / TIMES, model=name, optimiser=recipe.optimiser.kind, **facts(device),
        )  # fmt: skip


@contextmanager
def _trained(recipe: Recipe) -> Generator[RunFolder]:
    """Train a recipe to its end in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        run = RunStore(Path(folder)).create(recipe)
        if (code := finish(start_worker(run), PATIENCE)) != 0:
            raise RuntimeError(f"the trainer ended with {code}")
        yield run


def _words(answer: SpeakAnswer) -> list[int]:
    return [word.id for word in (*answer.greedy, *answer.sampled)]


def _ignore(*_: object) -> None:
    """Ignore progress."""


@dataclass(frozen=True)
class _Frames:
    whole: float
    """Seconds of the first frame, in which every row is ranked."""
    repaired: float
    """Median seconds of the later frames."""
    ids: NDArray[np.int32]
    cosines: NDArray[np.float32]
    """Cosines to the neighbours in the last frame."""


def compare_neighbours(device: torch.device) -> None:
    """Measure the same frames both ways, and compare the results."""
    for size in SIZES:
        host = _frames(size, None)
        card = _frames(size, device)
        same = float((host.ids == card.ids).mean())
        off = float(np.abs(host.cosines - card.cosines).max())
        shape = {"tokens": size, "dim": DIM, "made_up": True} | facts(device)
        report(
            "gpu_neighbours", host.repaired / card.repaired, "times faster than the processor",
            frame_seconds=card.repaired, processor_frame_seconds=host.repaired,
            whole_seconds=card.whole, processor_whole_seconds=host.whole,
            threads=1, **shape,
        )  # fmt: skip
        # The rounding of a float32 product: with less (TF32, say) the map would be another.
        report("gpu_neighbours_differ", off, "of a cosine at most", same_ids=same, **shape)


def _frames(size: int, device: torch.device | None) -> _Frames:
    """Follow a moving space, on the processor if `device` is None."""
    # For any size, because the faster side is to be determined.
    products = patch.object(nearest_neighbours, "make_row_products", lambda rows, _: _products(rows, device))
    with products, threadpool_limits(1):
        # Compile, and wake up the card, before timing.
        _follow(200, 2)
        return _follow(size, FRAMES)


def _follow(size: int, frames: int) -> _Frames:
    rng = np.random.default_rng(0)
    vectors = made_up_clusters(rng, size, DIM)
    neighbours = NeighbourIndex(MapRecipe().neighbours - 1)
    took: list[float] = []
    for frame in range(1 + frames):
        if frame:
            move_rows(rng, vectors, int(SHARE * size))
        begun = time.perf_counter()
        neighbours.update(vectors)
        took.append(time.perf_counter() - begun)
    return _Frames(took[0], float(np.median(took[1:])), neighbours.ids.copy(), neighbours.cosines)


def _products(rows: NDArray[np.float32], device: torch.device | None) -> RowProducts:
    return CpuProducts(rows) if device is None else GpuProducts(rows, str(device))
