"""The cost of a run, read from its folder: its energy, its arithmetic, and the progress they bought; and the cost of larger
models, extrapolated from it: their arithmetic times the joules per operation measured here.

Only their arithmetic is computed. On other machines an operation takes orders of magnitude less energy, as the
published figures of the reference models show (`reference_models.json`, with sources).
"""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from statistics import fmean
from typing import Any, Literal

from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.contract.recipe import Recipe
from lamplighter.cost.step_work import StepWork, describe_step_work
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.spent_energy import (
    RunEnergy,
    read_recent_watts,
    read_run_energy,
    read_spent_at,
)
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps import phase_in
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse

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


LARGER_VOCABULARY, LARGER_DIM = 50_000, 1_024
"""The usual textbook example of an embedding: 51,200,000 numbers."""


@dataclass(frozen=True)
class ScaleRow(DocumentedRecord):
    """A training with its actual or estimated cost."""

    kind: Literal["run", "larger", "model"]
    """This `run`, with all steps computed since energy was measured; the same steps with an embedding of 50,000 x 1,024
    (`larger`); or a published `model`."""
    parameters: int
    tokens: int
    flops: float
    flops_basis: Literal["formula", "6ND"]
    joules: float | None
    joules_basis: Literal["measured", "estimated", "extrapolated"]
    published: PublishedFigures | None


def scale_cost(
    recipe: Recipe,
    vocabulary: int,
    rows: float | None,
    steps: int,
    joules: float | None,
    joules_basis: Literal["measured", "estimated"],
) -> list[ScaleRow]:
    """Return rows for the run, the larger one, and published models, of which 6 N D operations with all parameters are
    counted. `rows`: the mean rows of the embedding with a gradient in a step; None if unknown. `steps`: those with known
    energy, each as often as it was computed; `joules`: their energy, the basis of all others.
    """
    work = describe_step_work(recipe, vocabulary, rows)
    flops = steps * work.flops
    per_flop = None if joules is None or not flops else joules / flops

    def extrapolate(operations: float) -> float | None:
        return None if per_flop is None else per_flop * operations

    larger = _enlarge(recipe)
    larger_work = describe_step_work(larger, LARGER_VOCABULARY, rows)
    larger_flops = float(steps * larger_work.flops)
    tokens = steps * recipe.batch_tokens
    found = [
        ScaleRow("run", work.parameters, tokens, float(flops), "formula", joules, joules_basis, None),
        ScaleRow(
            "larger",
            larger_work.parameters,
            tokens,
            larger_flops,
            "formula",
            extrapolate(larger_flops),
            "extrapolated",
            None,
        ),
    ]
    for model in reference_models():
        operations = 6.0 * model.parameters * model.tokens
        found.append(
            ScaleRow(
                "model",
                model.parameters,
                model.tokens,
                operations,
                "6ND",
                extrapolate(operations),
                "extrapolated",
                model,
            )
        )
    return found


def _enlarge(recipe: Recipe) -> Recipe:
    # The number of heads must divide the width; it hardly changes the arithmetic. The copy is not validated, since it
    # is never trained.
    model = recipe.model.model_copy(
        update={"dim": LARGER_DIM, "heads": math.gcd(recipe.model.heads, LARGER_DIM)}
    )
    return recipe.model_copy(update={"model": model})


INFORMATION = "neighbour_information"
"""The measure of order: bits that neighbour lists give about a word's planted class."""
MAX_POINTS = 240
"""Maximum steps of the curve."""
_FINE_STRIDES = (25, 50)
"""Strides of a short curve, at which the trainer also reads energy."""

MissingEnergy = Literal["recorded", "unmeasured"]


@dataclass(frozen=True)
class CostPoint(DocumentedRecord):
    """A step of the curve: sums up to it, and the quality of the model. Null if unknown."""

    step: int
    joules: float | None
    processor_seconds: float | None
    flops: float | None
    loss: float | None
    """Loss of the step's batch, in nats; null for step 0."""
    held_out_loss: float | None
    bits: float | None
    """The measure `neighbour_information`."""


@dataclass(frozen=True)
class RunCost:
    """The cost of a run up to its newest step."""

    attempt: int
    step: int
    energy: RunEnergy | None
    watts_now: float | None
    """The mean power of the last readings; None unless the run is training."""
    missing: MissingEnergy | None
    """Why there is no energy: the run was `recorded` from a client's loop, or trained by a version that did not measure
    it."""
    work: StepWork | None
    """None for a run recorded from a client's loop, whose model is unknown."""
    tokens: int | None
    flops: float | None
    curve: list[CostPoint]
    measured_order: bool
    """True if any point of the curve has bits."""
    scale: list[ScaleRow]


def cost_steps(newest: int, keyframe_every: int) -> list[int]:
    """Return the steps of a run's curve, ascending, at most `MAX_POINTS`: those with keyframes, where measures are
    made, and others between them if there is room."""
    fine = (stride for stride in _FINE_STRIDES if keyframe_every % stride == 0)
    stride = next((one for one in (*fine, keyframe_every) if newest // one < MAX_POINTS - 1), 0)
    stride = stride or keyframe_every * math.ceil(newest / keyframe_every / (MAX_POINTS - 2))
    return sorted({*range(0, newest + 1, stride), newest})


def read_run_cost(run: RunFolder, reader: StepsReader, steps: list[int]) -> RunCost:
    """Return the cost of a prepared run, with a curve of the given steps.

    Raises:
        FormatError: the run cannot be read.
    """
    facts, (attempt, newest) = reader.facts(), reader.newest_step()
    recipe, recorded = run.recipe, run.recipe.corpus.kind == "recorded"
    losses: dict[int, float] = {}
    rows: list[int] = []
    for step, record in reader.pulses_at(steps):
        pulse = decode_as(record, Pulse)
        losses[step] = pulse.loss
        if pulse.gradient_known:
            rows.append(len(pulse.gradient_ids))
    mean_rows = fmean(rows) if rows else None
    work = None if recorded else describe_step_work(recipe, len(run.vocabulary), mean_rows)
    energy, spent = read_run_energy(reader), read_spent_at(reader, steps)
    bits = _read_bits(run, reader, steps)
    held_out = {step: loss for one in steps for step, loss in reader.held_out_losses(one, one).items()}
    curve = [
        CostPoint(
            step=step,
            joules=spent[step].joules if step in spent else None,
            processor_seconds=spent[step].processor_seconds if step in spent else None,
            flops=None if work is None else float(step * work.flops),
            loss=losses.get(step),
            held_out_loss=held_out.get(step),
            bits=bits.get(step),
        )
        for step in steps
    ]
    scale: list[ScaleRow] = []
    if work is not None:
        computed, joules = (newest, None) if energy is None else (energy.spent.steps, energy.spent.joules)
        basis = "measured" if energy is not None and energy.measured else "estimated"
        scale = scale_cost(recipe, len(run.vocabulary), mean_rows, computed, joules, basis)
    return RunCost(
        attempt=attempt,
        step=newest,
        energy=energy,
        watts_now=read_recent_watts(reader) if phase_in(facts) == Phase.RUNNING else None,
        missing=None if energy is not None else "recorded" if recorded else "unmeasured",
        work=work,
        tokens=None if work is None else newest * work.tokens,
        flops=None if work is None else float(newest * work.flops),
        curve=curve,
        measured_order=bool(bits),
        scale=scale,
    )


def _read_bits(run: RunFolder, reader: StepsReader, steps: list[int]) -> dict[int, float]:
    found: dict[int, float] = {}
    with suppress(FileNotFoundError), MeasuresReader(run.measures_path) as measured:
        lineage = reader.lineage()
        for step in steps:
            bits = measured.by_step(step, step, lineage).get(step, {}).get(INFORMATION)
            if bits is not None and math.isfinite(bits):
                found[step] = bits
    return found
