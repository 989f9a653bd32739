"""Schemas of the cost of a run. What is not known is null."""

from __future__ import annotations

from typing import Literal

from lamplighter.cost.run_cost import CostPoint
from lamplighter.cost.step_work import LayerFlops, SixNd, UpdateBytes
from lamplighter.platform.energy.energy_method import MethodName
from lamplighter.serving.schemas.base import ApiModel


class EnergyErrorResponse(ApiModel):
    """The error of a method: the true energy lies between the joules times `least` and times `most`, by what is known."""

    least: float
    most: float
    source: str
    url: str


class EnergyResponse(ApiModel):
    """The energy that training took, and how it is known."""

    method: MethodName
    """`nvml`: the counter of the graphics card, without the processor. `rapl`: the counters of all processors, other
    programs' work included. `processor`: an estimate, processor seconds of the trainer times watts."""
    measured: bool
    """False if any part of the sum is an estimate."""
    mixed: bool
    """True if trainers measured parts of the sum by different methods; `method` is the least exact of them."""
    without_card: bool
    """True if a graphics card did the work and its part is missing."""
    watts_assumed: float | None
    """Watts of a busy core in an estimate."""
    error: EnergyErrorResponse | None
    """Null if it is not known, as of a mixed sum."""
    joules: float
    """From the step after `since` to `step`, without pauses; superseded steps, and those that were computed again,
    included."""
    since: int
    """Not 0 where a trainer that measures went on with a run of one that did not."""
    step: int
    computed: int | None
    """Steps that it was spent on, each as often as it was computed. Null where they were not counted."""
    joules_per_step: float | None
    """Energy of a computed step."""
    processor_seconds: float
    seconds: float
    """By the clock, without pauses."""
    watts_mean: float | None
    watts_now: float | None
    """The mean of the last readings; null unless the run is training."""


class StepWorkResponse(ApiModel):
    """The work of one step, by formula."""

    parameters: int
    tokens: int
    forward: int
    """Floating-point operations, like the next three."""
    backward: int
    update: int | None
    products: int
    """The part of forward and backward in products of matrices."""
    layers: list[LayerFlops]
    six_nd: list[SixNd]
    update_bytes: UpdateBytes | None


class PublishedFiguresResponse(ApiModel):
    """A model of the field, as its sources describe it."""

    name: str
    year: int
    source: str
    url: str
    flops: float | None
    joules: float | None
    energy_source: str | None
    energy_url: str | None


class ScaleRowResponse(ApiModel):
    """A training, and what it took or would take."""

    kind: Literal["run", "larger", "model"]
    """This `run`, with all steps that were computed since energy was measured; the same steps with an embedding of 50,000 x 1,024 (`larger`); or a `model` of the field."""
    parameters: int
    tokens: int
    flops: float
    flops_basis: Literal["formula", "6ND"]
    joules: float | None
    joules_basis: Literal["measured", "estimated", "extrapolated"]
    published: PublishedFiguresResponse | None


class Cost(ApiModel):
    """The cost of a run up to its newest step."""

    attempt: int
    step: int
    energy: EnergyResponse | None
    missing: Literal["recorded", "unmeasured"] | None
    """Why there is no energy: the run was recorded from a loop elsewhere, or trained by a version that did not measure."""
    work: StepWorkResponse | None
    """Null for a run that was recorded from a loop elsewhere."""
    tokens: int | None
    flops: float | None
    curve: list[CostPoint]
    measured_order: bool
    """False while the curve has no bits."""
    scale: list[ScaleRowResponse]
