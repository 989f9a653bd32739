"""Schemas of the requests to a run, and of the questions about its model with their states."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from lamplighter.contract.answers import Answer
from lamplighter.contract.questions import KINDS
from lamplighter.contract.reason import Reason, ReasonCode, ReasonValues
from lamplighter.contract.recognition import recognise
from lamplighter.runfolder.tables.examinations import ExaminationEntry, ExaminationState, question_fields
from lamplighter.serving.schemas.base import ApiModel, Items, RequestBody


class PlainRequest(RequestBody):
    """A request without parameters. `begin` ends the wait of a new run for its map; `resume`, `step` and `stop` do too."""

    kind: Literal["begin", "pause", "resume", "step", "stop"]


class PaceRequest(RequestBody):
    """A limit on the training speed; null for full speed."""

    kind: Literal["pace"]
    steps_per_second: Annotated[float | None, Field(gt=0, le=10_000)]


class LearningRateRequest(RequestBody):
    """A new learning rate, from the next step on."""

    kind: Literal["learning_rate"]
    value: Annotated[float, Field(gt=0, le=10)]


class ContinueRequest(RequestBody):
    """A request to continue a finished run for `steps` beyond its planned end, at a new learning rate if given."""

    kind: Literal["continue"]
    steps: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    learning_rate: Annotated[float | None, Field(gt=0, le=10)] = None
    confirmed: bool = False
    """True to continue an imported run, whose recipe comes from a stranger. Without it such a request is refused with
    409, stating the resources it takes. Ignored for runs that were not imported.
    """


class MapRequest(RequestBody):
    """A change of the map's settings, starting from the current positions; omitted fields keep their values."""

    kind: Literal["map"]
    neighbours: Annotated[int | None, Field(ge=2, le=200)] = None
    min_dist: Annotated[float | None, Field(ge=0, le=3)] = None
    """At most `spread`."""
    spread: Annotated[float | None, Field(ge=0.1, le=5)] = None

    @model_validator(mode="after")
    def _require_a_change(self) -> MapRequest:
        if self.neighbours is self.min_dist is self.spread is None:
            raise ValueError("name a setting to change: neighbours, min_dist or spread")
        return self


RunRequest = Annotated[
    PlainRequest | PaceRequest | LearningRateRequest | ContinueRequest | MapRequest,
    Field(discriminator="kind"),
]


class AcceptedRequest(ApiModel):
    """A stored request; the live socket acknowledges it when it takes effect."""

    request: str


_REASON = TypeAdapter(Reason)


class Examination(ApiModel):
    """A question about a run's model, and its state."""

    id: str
    """Sixteen hexadecimal digits, equal for equal questions about the same attempt of the run."""
    kind: Annotated[str, Field(json_schema_extra={"enum": list(KINDS)})]
    step: int
    attempt: int
    """The attempt in which the question's last step counts."""
    question: dict[str, Any]
    """The question with every default written out."""
    state: ExaminationState
    share: float
    """Progress, from 0 to 1."""
    activity: str
    """A description of the current work; empty when there is none."""
    problem: str | None
    """The reason for a failure, in one sentence."""
    code: ReasonCode | None = None
    """The reason as a code, or else the current work: the page has its own words for it."""
    values: ReasonValues = Field(default_factory=ReasonValues)
    """The numbers and words in it."""
    made: float | None
    """Unix seconds when it was answered; null before."""


class ExaminationList(Items[Examination]):
    """The questions about a run, in the order of their last change."""


class ExaminationDetails(Examination):
    """A question with its answer."""

    answer: Answer | None
    """Null until it is done, or if the stored answer is invalid."""


def describe_examination(entry: ExaminationEntry) -> Examination:
    """Return an entry of `examinations.sqlite` as a schema."""
    reason: dict[str, Any] = {}
    # A newer version may have stored another code, and an imported run anything.
    with suppress(ValidationError):
        told = (
            _REASON.validate_json(entry.reason)
            if entry.reason
            else recognise(entry.problem or entry.activity)
        )
        reason = vars(told) if told else {}
    return Examination.model_validate({**vars(entry), **reason, "question": question_fields(entry)})
