"""The card's energy counter: whether it is readable, and its energy per step."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from benchmarks.gpu.cards import facts, recipes
from benchmarks.support.report import report
from lamplighter.runfolder.reading.spent_energy import read_run_energy
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.worker import train

STEPS = 500


def meter(device: torch.device) -> bool:
    """Train each model and print the joules per step. Returns whether an NVIDIA card counted them."""
    met = True
    for name, recipe in recipes(device).items():
        with tempfile.TemporaryDirectory() as folder:
            run = RunStore(Path(folder)).create(recipe.model_copy(update={"steps": STEPS}))
            train(run)
            with StepsReader(run.steps_path) as reader:
                energy = read_run_energy(reader)
        assert energy is not None
        spent, method = energy.spent, energy.used.method.name
        report(
            "gpu_energy", spent.joules / STEPS, "J a step", model=name, method=method,
            watts=spent.joules / max(spent.seconds, 1e-9), **facts(device),
        )  # fmt: skip
        met = met and (method == "nvml" or device.type != "cuda")
    return met
