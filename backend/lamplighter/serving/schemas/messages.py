"""Schemas of the live socket's text messages (`docs/wire.md`)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from lamplighter.serving.schemas.base import ApiModel, PartialModel
from lamplighter.serving.schemas.classroom import ClassMessage
from lamplighter.serving.schemas.requests import Examination
from lamplighter.serving.schemas.runs import RunResponse, Status
from lamplighter.serving.schemas.steps import LineSet, Measures


class StatusMessage(ApiModel):
    """A live socket message: the run's state changed."""

    type: Literal["status"] = "status"
    status: Status


class HelloMessage(PartialModel):
    """The first message on the live socket."""

    type: Literal["hello"] = "hello"
    run: RunResponse
    channels: list[str]

    def fields_to_omit(self) -> Any:
        """Return the fields to omit from `run`."""
        return {"run": self.run.fields_to_omit()}


class MeasuresMessage(Measures):
    """A live socket message: new measures."""

    type: Literal["measures"] = "measures"


class LinesMessage(LineSet):
    """A live socket message: lines that the model generated."""

    type: Literal["lines"] = "lines"


class PassedMessage(ApiModel):
    """A live socket message: steps between two beats, as a chart shows them. It comes just before the second of the two."""

    type: Literal["passed"] = "passed"
    attempt: int
    steps: list[int]
    """Ascending."""
    losses: list[float | None]
    """The loss of each step; null if it is not finite."""
    norms: list[list[float | None]]
    """The norms of the layers' gradients of each step, in the order of the run's `layers`."""
    ever_rows: list[int]
    """Rows that were in a batch at least once, up to each step."""


class AcknowledgedMessage(ApiModel):
    """A live socket message: a request took effect."""

    type: Literal["acknowledged"] = "acknowledged"
    request: str
    kind: str
    step: int


class ExaminationMessage(ApiModel):
    """A live socket message: a question about the run's model changed its state."""

    type: Literal["examination"] = "examination"
    examination: Examination


class WordsMessage(ApiModel):
    """A message of the class's socket, sent with a beat: the beginning of the text that the beat's step read."""

    type: Literal["words"] = "words"
    step: int
    attempt: int
    tokens: list[int]
    """The token ids of the first sequence of its batch, at most 64 of them."""


SocketMessage = Annotated[
    HelloMessage
    | StatusMessage
    | MeasuresMessage
    | LinesMessage
    | PassedMessage
    | AcknowledgedMessage
    | ExaminationMessage
    | WordsMessage
    | ClassMessage,
    Field(discriminator="type", description="A text message of the live socket (`docs/wire.md`)."),
]
