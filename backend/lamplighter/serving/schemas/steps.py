"""Schemas of steps, events and measures."""

from __future__ import annotations

from pydantic import SkipValidation

from lamplighter.runfolder.tables.lines import SpokenLine
from lamplighter.serving.schemas.base import ApiModel, HasReason, Items


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
    """Number of rows that the batch read. Like the next two, null if not recorded."""
    gradient_rows: int | None
    """Number of rows with a non-zero gradient."""
    moved_rows: int | None
    verified: bool
    layer_norms: list[float | None]


class StepSummary(StepFacts):
    """The figures of one step, and the number of rows lit so far."""

    ever_rows: int | None
    """Number of rows that were in a batch so far; null if not counted, or if no batch is recorded."""


class Steps(Items[StepSummary]):
    """The figures of several steps, and how they were selected."""

    every: int
    """The stride through the range; 1 with `extremes`."""
    extremes: bool
    """True if the items include the smallest and the largest loss of each of several equally long stretches, so that no
    outlier is missing.
    """


class RowDifference(ApiModel):
    """The rows that are in one set of a step and not in another."""

    rows: int
    token_ids: list[int]
    """The first 100, by descending gradient or distance; read rows by id."""


class RowDifferences(ApiModel):
    """The differences between the three sets of a step. Null if one of the two sets is not recorded."""

    read_without_gradient: RowDifference | None
    gradient_without_read: RowDifference | None
    gradient_without_move: RowDifference | None
    moved_without_read: RowDifference | None


class StepDetails(StepFacts):
    """One step, row by row."""

    tokens: list[list[int]]
    """The batch's text: sequences of token ids. Empty if the text is not kept, as in a run that was recorded from an
    external loop."""
    gradient: list[tuple[int, float | None]] | None
    """Token id and gradient norm, largest first; null if the gradients are not recorded."""
    moved: list[tuple[int, float | None]] | None
    """Token id and distance moved by its row, largest first; null if not recorded."""
    differences: RowDifferences


class StepText(ApiModel):
    """The beginning of the text that one step read."""

    step: int
    tokens: list[list[int]]
    """Sequences of token ids; empty if the text is not kept."""


class Event(HasReason):
    """An event shown on the timeline; `code` and `values` say its message."""

    SENTENCE = "message"

    id: int
    time: float
    attempt: int
    step: int
    kind: str
    message: SkipValidation[str]


class EventList(Items[Event]):
    """Timeline events, oldest first."""


class Measures(ApiModel):
    """The measures computed from the record at a step."""

    step: int
    values: dict[str, float | None]


class LineSet(ApiModel):
    """The lines that the model generated after a step."""

    step: int
    attempt: int
    lines: list[SpokenLine]


class LinesList(Items[LineSet]):
    """The lines that the model generated during training, by step."""


class MeasuresFilling(ApiModel):
    """The progress of a run's measures after its end, at the steps of its curves."""

    filled: int
    """Number of steps with all measures."""
    of: int


class MeasuresList(Items[Measures]):
    """Measures, by step."""

    filling: MeasuresFilling | None
    """Null for an unfinished run, whose missing measures come later."""


class FramesHead(ApiModel):
    """The first part of an answer with the frames of a run."""

    place: str | None
    """What the next request gives as `after`; null before the run has a step."""
    step: int
    """The last step sent so far."""
    more: bool
    """True if later steps are recorded already."""
    over: bool
    """True if no loop is at work on the run, and none will be: only a last layout may still come."""
