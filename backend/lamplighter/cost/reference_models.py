"""Models with published size and training, with sources (`reference_models.json`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from lamplighter.contract.documented_model import DocumentedRecord

_SECONDS_PER_HOUR = 3_600


@dataclass(frozen=True)
class PublishedFigures(DocumentedRecord):
    """Published figures of a model, from its makers or from studies."""

    name: str
    year: int
    parameters: int
    tokens: int
    """Tokens of its training."""
    source: str
    url: str
    flops: float | None
    """Floating-point operations of its training, if the source states them."""
    joules: float | None
    """Energy of its training, if stated directly or as GPU hours and power."""
    energy_source: str | None
    energy_url: str | None


@cache
def reference_models() -> tuple[PublishedFigures, ...]:
    """Return the models in ascending order of arithmetic."""
    text = (
        resources.files(__package__ or "lamplighter.cost")
        .joinpath("reference_models.json")
        .read_text("utf-8")
    )
    return tuple(_describe(entry) for entry in json.loads(text))


def _describe(entry: dict[str, Any]) -> PublishedFigures:
    watt_hours = None
    if "megawatt_hours" in entry:
        watt_hours = 1e6 * entry["megawatt_hours"]
    elif "gpu_hours" in entry:
        watt_hours = float(entry["gpu_hours"] * entry["watts"])
    return PublishedFigures(
        name=entry["name"],
        year=entry["year"],
        parameters=int(entry["parameters"]),
        tokens=int(entry["tokens"]),
        source=entry["source"],
        url=entry["url"],
        flops=entry.get("flops"),
        joules=None if watt_hours is None else _SECONDS_PER_HOUR * watt_hours,
        energy_source=entry.get("energy_source"),
        energy_url=entry.get("energy_url"),
    )
