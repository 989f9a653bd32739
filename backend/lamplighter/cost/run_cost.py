"""The cost of a run, read from its folder: its energy, its arithmetic, and the progress they bought."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.cost.cost_scale import ScaleRow, scale_cost
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
