"""Schemas of the cost of a run. Unknown values are null."""

from __future__ import annotations

from lamplighter.cost.run_cost import CostPoint, MissingEnergy, ScaleRow
from lamplighter.cost.step_work import StepWork
from lamplighter.platform.energy.energy_method import MethodError, MethodName
from lamplighter.serving.schemas.base import ApiModel


class EnergyResponse(ApiModel):
    """The energy used by training, and the method of its measurement."""

    method: MethodName
    """`nvml`: the counter of the graphics card, without the processor. `rapl`: the counters of all processors,
    including the work of other programs. `processor`: an estimate, processor seconds of the trainer times watts."""
    measured: bool
    """False if any part of the sum is an estimate."""
    mixed: bool
    """True if trainers measured parts of the sum by different methods; `method` is the least exact of them."""
    without_card: bool
    """True if a graphics card did the work and its part is missing."""
    watts_assumed: float | None
    """Watts of a busy core in an estimate."""
    error: MethodError | None
    """Null if unknown, as for a mixed sum."""
    joules: float
    """From the step after `since` to `step`, without pauses, including superseded and recomputed steps."""
    since: int
    """Not 0 if a measuring trainer continued the run of one that did not measure."""
    step: int
    computed: int
    """Number of steps that it was spent on, counting recomputed ones each time."""
    joules_per_step: float | None
    """Energy per computed step."""
    processor_seconds: float
    seconds: float
    """Wall-clock time without pauses."""
    watts_mean: float | None
    watts_now: float | None
    """The mean of the last readings; null unless the run is training."""


class ProcessWork(ApiModel):
    """One of the processes that train a run together."""

    offset: int
    """The first row that it has, of the embedding and of the output matrix."""
    rows: int
    columns: tuple[int, int] | None
    """Its first column and their number, if it has not all of these rows."""
    worked: float
    """Seconds of the step that it computed; of a watched loop as far as they are known (`docs/client.md`)."""
    waited: float
    """Seconds of the step in which it waited and handed over."""
    slowest: int
    """How many of the last steps it computed longest in."""


class ExchangedBytes(ApiModel):
    """What all processes together handed to others in a step, of one kind."""

    kind: str
    bytes: int
    """As counted."""
    formula: str | None
    """The formula (`docs/deploy.md`, `docs/client.md`); null for what is handed over between steps."""
    expected: int | None
    """The bytes of the formula."""


class SharedStepResponse(ApiModel):
    """The newest step of several processes."""

    step: int
    processes: list[ProcessWork]
    bytes: list[ExchangedBytes]
    steps: int
    """The last steps in which the slowest process is counted; by chance each is the slowest as often."""
    lagging: int | None
    """The process that is slowest surely more often than chance, and computes a tenth longer than the others."""


class Cost(ApiModel):
    """The cost of a run up to its newest step."""

    attempt: int
    step: int
    energy: EnergyResponse | None
    missing: MissingEnergy | None
    """The reason for missing energy: the run was recorded from an external loop, or trained by a version that did not
    measure."""
    work: StepWork | None
    """Null for a run that was recorded from an external loop."""
    tokens: int | None
    flops: float | None
    curve: list[CostPoint]
    measured_order: bool
    """False while the curve has no bits."""
    scale: list[ScaleRow]
    shared: SharedStepResponse | None
    """Null for a run that one process trains."""
