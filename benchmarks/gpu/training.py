"""Training on the card: steps a second compared with the processor, and the cost of observation."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.gpu.cards import facts, recipes
from benchmarks.observation import measure
from benchmarks.support.report import report
from lamplighter.contract.recipe import Recipe
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import build_learner
from lamplighter.model.step import train_step
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.training.corpus_setup import prepare_corpus
from lamplighter.training.trained_model import synchronise

WARM, SECONDS = 3, 5.0
BLOCKS, STEPS = 12, 25


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
        measured = measure(recipe, BLOCKS, STEPS)
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
