"""Schemas of the questions about a run's model, and their states."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from lamplighter.contract.answers import Answer
from lamplighter.contract.questions import KINDS
from lamplighter.contract.reason import Reason, ReasonCode, ReasonValues
from lamplighter.contract.recognition import recognise
from lamplighter.runfolder.tables.examinations import ExaminationEntry, ExaminationState, question_fields
from lamplighter.serving.schemas.base import ApiModel, Items

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
