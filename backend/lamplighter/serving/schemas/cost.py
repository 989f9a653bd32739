"""Schemas of the cost of a run. What is not known is null."""

from __future__ import annotations

from typing import Literal

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


class LayerFlopsResponse(ApiModel):
    """Floating-point operations of one layer in a step."""

    layer: str
    forward: int
    backward: int


class SixNdResponse(ApiModel):
    """The rule of thumb 6 N D for a step, with one of the readings of N."""

    counted: Literal["all", "without_input_table", "without_tables"]
    parameters: int
    flops: int
    error: float
    """Relative, against the products of matrices in the step."""


class UpdateBytesResponse(ApiModel):
    """Memory that the update of the embedding reads and writes in a step: rows x D x 4 bytes x (1 + 2 x arrays). The
    gradient is read, each array is read and written."""

    rows: int
    """Rows that are updated, the mean over steps."""
    arrays: int
    """Numbers kept for each weight: the weight, and with Adam two moving averages."""
    touched: int
    whole: int
    """Bytes of updating the whole matrix."""


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
    layers: list[LayerFlopsResponse]
    six_nd: list[SixNdResponse]
    update_bytes: UpdateBytesResponse | None


class CostPointResponse(ApiModel):
    """A step of the curve: sums up to it, and how good the model was."""

    step: int
    joules: float | None
    processor_seconds: float | None
    flops: float | None
    loss: float | None
    held_out_loss: float | None
    bits: float | None
    """The measure `neighbour_information`."""


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
    curve: list[CostPointResponse]
    measured_order: bool
    """False while the curve has no bits."""
    scale: list[ScaleRowResponse]
