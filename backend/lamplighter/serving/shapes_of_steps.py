"""What happened, by step."""

from __future__ import annotations

from pydantic import BaseModel

from lamplighter.serving.shapes import Items


class StepFacts(BaseModel):
    """What one step did, in numbers."""

    attempt: int
    step: int
    time: float
    loss: float | None
    learning_rate: float | None
    tokens_per_second: float | None
    step_seconds: float | None
    observe_seconds: float | None
    batch_rows: int
    gradient_rows: int
    moved_rows: int
    verified: bool
    layer_norms: list[float | None]


class StepInList(StepFacts):
    """What one step did, and how far the light had come by then."""

    ever_rows: int | None = None
    """Rows that were in a batch at least once so far; null where that was not counted."""


class Steps(Items[StepInList]):
    """Steps in numbers, and how they were chosen."""

    every: int
    """Every so-manieth step of the range; 1 with `extremes`."""
    extremes: bool
    """Of each of several equally long stretches the smallest and the largest loss is here: nothing stands out
    that is not shown.
    """


class StepInFull(StepFacts):
    """What one step did, row by row."""

    tokens: list[list[int]]
    """The batch's text: sequences of token ids."""
    gradient: list[tuple[int, float | None]]
    """Token id and gradient norm, largest first."""
    moved: list[tuple[int, float | None]]
    """Token id and the distance its row went, largest first."""


class Event(BaseModel):
    """Something worth a place on the timeline."""

    id: int
    time: float
    attempt: int
    step: int
    kind: str
    message: str


class Measures(BaseModel):
    """What was computed from the record at a step."""

    step: int
    values: dict[str, float | None]
