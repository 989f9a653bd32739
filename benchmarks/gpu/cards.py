"""The graphics card of this machine, and what runs on it."""

from __future__ import annotations

import platform
from typing import Any

import torch

from lamplighter.contract.recipe import Recipe
from lamplighter.model.learner import choose_device

LARGE: dict[str, Any] = {
    "model": {"dim": 512, "layers": 6, "heads": 8, "context": 128},
    "sequences": 32,
}
"""Twenty million parameters and 4,096 tokens a step: enough work for a card."""


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
