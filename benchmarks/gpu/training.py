"""Training on the card: steps a second beside the processor, the cost of observation, an essay's table, and energy a step.

The essay's is the recipe of `benchmarks.essay`, 50,000 tokens x 1,024, with a sampled softmax and with the whole one.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.essay import VOCABULARY, essay_recipe, made_text
from benchmarks.gpu.cards import facts, recipes
from benchmarks.observation import measure
from benchmarks.support.report import report
from lamplighter.contract.recipe import Recipe
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import build_learner
from lamplighter.model.step import train_step
from lamplighter.runfolder.reading.spent_energy import read_run_energy
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.corpus_setup import prepare_corpus
from lamplighter.training.trained_model import synchronise
from lamplighter.training.worker import train

WARM, SECONDS = 3, 5.0
BLOCKS, BLOCK_STEPS = 12, 25
METERED_STEPS = 500


def speed(device: torch.device) -> bool:
    """Measure the bare steps a second of each model, on the card and on the processor."""
    for name, recipe in recipes(device).items():
        with tempfile.TemporaryDirectory() as folder:
            run = RunStore(Path(folder)).create(recipe)
            prepare_corpus(run)
            rate = measure_rate(recipe, run, device)
            # Use all threads instead of the recipe's one, for a fair comparison.
            torch.set_num_threads(os.cpu_count() or 1)
            processor = measure_rate(recipe, run, torch.device("cpu"))
        report(
            "gpu_training", rate, "steps/s", model=name, optimiser=recipe.optimiser.kind,
            processor_steps_per_second=processor, times=rate / processor, threads=torch.get_num_threads(),
            **facts(device),
        )  # fmt: skip
    return True


def observation(device: torch.device) -> bool:
    """Measure the steps a second that are observed and recorded, as a share of the bare ones."""
    for name, recipe in recipes(device).items():
        measured = measure(recipe, BLOCKS, BLOCK_STEPS)
        report(
            "gpu_observation", measured.share("ours"), "of the bare loop's steps/s",
            model=name, optimiser=recipe.optimiser.kind, **measured.facts(), **facts(device),
        )  # fmt: skip
    return True


def measure_rate(recipe: Recipe, run: RunFolder, device: torch.device) -> float:
    """Train for some seconds, waiting for the device after each step as the trainer does."""
    batches = BatchReader(recipe, run.token_ids, device)
    learner = build_learner(recipe, len(run.vocabulary), device, run.vocabulary.counts)
    begun, step = 0.0, 0
    while step <= WARM or time.perf_counter() - begun < SECONDS:
        if step == WARM:
            begun = time.perf_counter()
        step += 1
        train_step(learner, *batches.batch(step)[1:])
        synchronise(device)
    return (step - WARM) / (time.perf_counter() - begun)


def essay(device: torch.device) -> bool:
    """Measure the bare steps a second, and the memory of the card. A processor tries it out with a small vocabulary."""
    if device.type == "mps":
        print("essay: sparse gradients have no MPS kernels: not run")
        return True
    words = VOCABULARY if device.type == "cuda" else 500
    with tempfile.TemporaryDirectory() as folder:
        run = RunStore(Path(folder)).create(essay_recipe(device.type), made_text(words, 20 * words))
        prepare_corpus(run)
        rates = {
            name: measure_rate(essay_recipe(device.type, negatives), run, device)
            for name, negatives in (("sampled", run.recipe.model.negatives), ("whole", None))
        }
    memory = torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else None
    return report(
        "gpu_essay", rates["sampled"], "steps/s", whole_softmax=rates["whole"],
        tokens=run.recipe.batch_tokens, memory_gb=memory, **facts(device),
    )  # fmt: skip


def meter(device: torch.device) -> bool:
    """Train each model and print the joules per step. Returns whether an NVIDIA card counted them."""
    met = True
    for name, recipe in recipes(device).items():
        with tempfile.TemporaryDirectory() as folder:
            run = RunStore(Path(folder)).create(recipe.model_copy(update={"steps": METERED_STEPS}))
            train(run)
            with StepsReader(run.steps_path) as reader:
                energy = read_run_energy(reader)
        assert energy is not None
        spent, method = energy.spent, energy.used.method.name
        report(
            "gpu_energy", spent.joules / METERED_STEPS, "J a step", model=name, method=method,
            watts=spent.joules / max(spent.seconds, 1e-9), **facts(device),
        )  # fmt: skip
        met = met and (method == "nvml" or device.type != "cuda")
    return met
