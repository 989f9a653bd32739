"""Schemas of the questions about a run's model, and of what becomes of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from lamplighter.questions import (
    BatchSizesQuestion,
    BenchQuestion,
    BetterQuestion,
    DecilesQuestion,
    DevicesQuestion,
    EnvironmentQuestion,
    MicroscopeQuestion,
    ProbeQuestion,
    Question,
    RotationQuestion,
    SpeakQuestion,
    SubstitutionQuestion,
    TransplantQuestion,
    WhatIfQuestion,
    parse_question,
)
from lamplighter.runfolder.tables.examinations import ExaminationEntry, ExaminationState, question_fields
from lamplighter.serving.schemas.base import ApiModel, Items, RequestBody

ExaminationKind = Literal[
    "speak",
    "microscope",
    "what_if",
    "transplant",
    "rotation",
    "probe",
    "devices",
    "bench",
    "batch_sizes",
    "environment",
    "deciles",
    "better",
    "substitution",
]


class _Confirmation(RequestBody):
    confirmed: bool = False
    """True to ask a run that was imported: its model takes what a stranger's recipe asks for. Without it such a question is
    refused with 409, and the refusal says what that is. Nothing to a run that was not imported.
    """

    def to_question(self) -> Question:
        """Return the question alone."""
        return parse_question(self.model_dump(exclude={"confirmed"}))


class NewSpeakQuestion(SpeakQuestion, _Confirmation):
    """A prompt that the model is to continue, greedily and by chance."""

    kind: Literal["speak"]  # pyright: ignore[reportGeneralTypeIssues]


class NewMicroscopeQuestion(MicroscopeQuestion, _Confirmation):
    """A training step to be shown from its text to the update of one number."""

    kind: Literal["microscope"]  # pyright: ignore[reportGeneralTypeIssues]


class NewWhatIfQuestion(WhatIfQuestion, _Confirmation):
    """A sentence on which a copy of the model is to be trained."""

    kind: Literal["what_if"]  # pyright: ignore[reportGeneralTypeIssues]


class NewTransplantQuestion(TransplantQuestion, _Confirmation):
    """A row, or a whole embedding, to be put in the place of another."""

    kind: Literal["transplant"]  # pyright: ignore[reportGeneralTypeIssues]


class NewRotationQuestion(RotationQuestion, _Confirmation):
    """A random rotation of the whole space of the embedding."""

    kind: Literal["rotation"]  # pyright: ignore[reportGeneralTypeIssues]


class NewProbeQuestion(ProbeQuestion, _Confirmation):
    """A sentence whose attention is to be read by layer and head."""

    kind: Literal["probe"]  # pyright: ignore[reportGeneralTypeIssues]


class NewDevicesQuestion(DevicesQuestion, _Confirmation):
    """A training step that two processes are to share."""

    kind: Literal["devices"]  # pyright: ignore[reportGeneralTypeIssues]


class NewBenchQuestion(BenchQuestion, _Confirmation):
    """Four rules of updating the embedding, to be compared on the same batches."""

    kind: Literal["bench"]  # pyright: ignore[reportGeneralTypeIssues]


class NewBatchSizesQuestion(BatchSizesQuestion, _Confirmation):
    """Batches of several sizes, whose distinct rows are to be counted."""

    kind: Literal["batch_sizes"]  # pyright: ignore[reportGeneralTypeIssues]


class NewEnvironmentQuestion(EnvironmentQuestion, _Confirmation):
    """A text in which every word has another's job, on which a copy of the model is to be trained."""

    kind: Literal["environment"]  # pyright: ignore[reportGeneralTypeIssues]


class NewDecilesQuestion(DecilesQuestion, _Confirmation):
    """The loss on frequent and on rare words, to be measured now and under two optimisers."""

    kind: Literal["deciles"]  # pyright: ignore[reportGeneralTypeIssues]


class NewBetterQuestion(BetterQuestion, _Confirmation):
    """The next steps, of each of which is to be said what it makes better."""

    kind: Literal["better"]  # pyright: ignore[reportGeneralTypeIssues]


class NewSubstitutionQuestion(SubstitutionQuestion, _Confirmation):
    """Words to be put in the place of others in held-out sentences."""

    kind: Literal["substitution"]  # pyright: ignore[reportGeneralTypeIssues]


NewQuestion = Annotated[
    NewSpeakQuestion
    | NewMicroscopeQuestion
    | NewWhatIfQuestion
    | NewTransplantQuestion
    | NewRotationQuestion
    | NewProbeQuestion
    | NewDevicesQuestion
    | NewBenchQuestion
    | NewBatchSizesQuestion
    | NewEnvironmentQuestion
    | NewDecilesQuestion
    | NewBetterQuestion
    | NewSubstitutionQuestion,
    Field(discriminator="kind"),
]


class Examination(ApiModel):
    """A question about a run's model, and what has become of it."""

    id: str
    """Sixteen hexadecimal digits, equal for equal questions about one attempt of the run."""
    kind: ExaminationKind
    step: int
    attempt: int
    """The attempt in which the last step counts that the question is about."""
    question: dict[str, Any]
    """The question with every default written out."""
    state: ExaminationState
    share: float
    """Progress, from 0 to 1."""
    activity: str
    """A description of the current work; empty when there is none."""
    problem: str | None
    """The reason for a failure, in one sentence."""
    made: float | None
    """Unix seconds when it was answered; null before."""


class ExaminationList(Items[Examination]):
    """The questions that were asked of a run, in the order in which something became of them last."""


class ExaminationDetails(Examination):
    """A question with its answer."""

    answer: dict[str, Any] | None
    """Null until it is done; `docs/rest.md` describes the answers by kind."""


def describe_examination(entry: ExaminationEntry) -> Examination:
    """Return an entry of `examinations.sqlite` as the interface has it."""
    return Examination.model_validate({**vars(entry), "question": question_fields(entry)})
