"""Schemas of steps, events and measures."""

from __future__ import annotations

from lamplighter.serving.schemas.base import ApiModel, Items


class StepFacts(ApiModel):
    """The figures of one step."""

    attempt: int
    step: int
    time: float
    loss: float | None
    learning_rate: float | None
    tokens_per_second: float | None
    step_seconds: float | None
    observe_seconds: float | None
    batch_rows: int | None
    """Rows that the batch read; null, as of the next two, where that is not recorded."""
    gradient_rows: int | None
    """Rows with a gradient that is not zero."""
    moved_rows: int | None
    verified: bool
    layer_norms: list[float | None]


class StepSummary(StepFacts):
    """The figures of one step, and the number of rows lit by then."""

    ever_rows: int | None
    """Rows that were in a batch at least once so far; null if not counted, or if no batch so far is recorded."""


class Steps(Items[StepSummary]):
    """The figures of several steps, and how the steps were chosen."""

    every: int
    """The stride through the range; 1 with `extremes`."""
    extremes: bool
    """True if the items hold the smallest and the largest loss of each of several equally long stretches, so that no
    outlier is missing.
    """


class RowDifference(ApiModel):
    """The rows that are in one set of a step and not in another."""

    rows: int
    token_ids: list[int]
    """The first 100: by gradient, by distance, or those read by id; the largest first."""


class RowDifferences(ApiModel):
    """How the three sets of a step differ. Null where one of the two sets is not recorded."""

    read_without_gradient: RowDifference | None
    gradient_without_read: RowDifference | None
    gradient_without_move: RowDifference | None
    moved_without_read: RowDifference | None


class StepDetails(StepFacts):
    """One step, row by row."""

    tokens: list[list[int]]
    """The batch's text: sequences of token ids. Empty where the text is not kept, as in a run that was recorded from a
    loop of its own."""
    gradient: list[tuple[int, float | None]] | None
    """Token id and gradient norm, largest first; null where the gradients are not recorded."""
    moved: list[tuple[int, float | None]] | None
    """Token id and the distance its row moved, largest first; null where that is not recorded."""
    differences: RowDifferences


class StepText(ApiModel):
    """The beginning of the text that one step read."""

    step: int
    tokens: list[list[int]]
    """Sequences of token ids; empty where the text is not kept."""


class EventResponse(ApiModel):
    """A timeline event."""

    id: int
    time: float
    attempt: int
    step: int
    kind: str
    message: str


class EventList(Items[EventResponse]):
    """Timeline events, oldest first."""


class Measures(ApiModel):
    """The measures computed from the record at a step."""

    step: int
    values: dict[str, float | None]


class Line(ApiModel):
    """A prompt and the tokens with which the model continued it."""

    prompt: list[int]
    words: list[int]
    """The token ids that the model said."""
    probabilities: list[float]
    """The probability that the model gave each of them."""
    sampled: bool
    """True if they were drawn by these probabilities, false if each was the most probable one."""


class Lines(ApiModel):
    """The lines that the model said after a step."""

    step: int
    attempt: int
    lines: list[Line]


class LinesList(Items[Lines]):
    """The lines that the model said while it was trained, by step."""


class MeasuresFilling(ApiModel):
    """The progress of a run's measures after its end, at the steps that its curves are made of."""

    filled: int
    """Steps with every measure there is."""
    of: int


class MeasuresList(Items[Measures]):
    """Measures, by step."""

    filling: MeasuresFilling | None
    """Null for a run that is not over: what it lacks comes later."""
