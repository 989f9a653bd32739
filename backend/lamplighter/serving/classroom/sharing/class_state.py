"""The messages between the servers of one class: a viewer's wish, the owner's answer, which viewers are where, and the whole
state of the class as it stands in the broker: small, complete, and read as if a stranger had written it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import zstandard
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lamplighter.serving.classroom.class_door import CodeState
from lamplighter.serving.classroom.questions.asked_questions import (
    Count,
    QuestionsState,
    RunName,
    SharedState,
)
from lamplighter.serving.classroom.viewer_sessions import ViewerSession
from lamplighter.serving.schemas.classroom import PointedWord, PredictionMessage, ShortCode, ViewQuery

_SessionId = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class JoinAsk(_Message):
    """A viewer who wants to join."""

    kind: Literal["join"] = "join"
    code: ShortCode
    address: Annotated[str, Field(max_length=64)]
    user_agent: Annotated[str, Field(max_length=1_000)]
    cookie_digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class PredictAsk(_Message):
    """A viewer's prediction."""

    kind: Literal["predict"] = "predict"
    session: _SessionId
    prediction: PredictionMessage


class PointAsk(_Message):
    """A word that an assistant points at, or a run that was started."""

    kind: Literal["point"] = "point"
    word: PointedWord | None = None
    new_run: Annotated[str, Field(max_length=200)] | None = None


class LeadAsk(_Message):
    """A server whose presenter changes something."""

    kind: Literal["lead"] = "lead"


ViewerAsk = JoinAsk | PredictAsk | PointAsk
"""A request of a viewer to the owner."""


class Answer(_Message):
    """The owner's answer."""

    status: Annotated[int, Field(ge=200, le=599)] = 200
    detail: Annotated[str, Field(max_length=500)] = ""
    wait: Annotated[float, Field(ge=0, le=3_600)] = 0.0
    session: _SessionId | None = None
    """The session of the viewer who joined."""
    fence: int = 0
    revision: int = 0
    """The state in which it counts."""


class Here(_Message):
    """The viewers who have a page open at one server."""

    server: _SessionId
    sessions: Annotated[list[_SessionId], Field(max_length=5_000)]
    asking: Annotated[list[_SessionId], Field(max_length=7_000)]
    """Those that have sent a request just now."""
    behind: Annotated[int, Field(ge=0, le=5_000)]


ASKS: TypeAdapter[ViewerAsk | LeadAsk] = TypeAdapter(
    Annotated[JoinAsk | PredictAsk | PointAsk | LeadAsk, Field(discriminator="kind")]
)
"""Reads what another server asks."""


MAX_BYTES = 16 << 20
"""Maximum bytes of a state before compression."""


class StateError(ValueError):
    """An error for bytes that are not the state of a class."""


class ClassState(SharedState):
    """A class: who is in it, what they may see, and what they were asked and answered."""

    owner: Annotated[str, Field(pattern="^[0-9a-f]{0,16}$")]
    """The server that wrote it."""
    fence: Count
    """The number of the owner that wrote it: each owner's is higher than those before."""
    revision: Count
    """The number of the state among those of its owner."""
    clock: float
    """The owner's clock, by which sessions joined."""
    door: bool
    code: CodeState
    code_before: CodeState | None
    sessions: Annotated[list[ViewerSession], Field(max_length=7_000)]
    joined: Count
    """The number of the newest session."""
    texts: Annotated[dict[RunName, bool], Field(max_length=10_000)]
    view: ViewQuery | None
    following: bool
    pointed: PointedWord | None
    newest_run: RunName | None
    questions: QuestionsState

    @property
    def place(self) -> tuple[int, int]:
        return self.fence, self.revision


def encode_state(state: ClassState) -> bytes:
    return zstandard.compress(state.model_dump_json().encode(), 3)


def decode_state(data: bytes) -> ClassState:
    """Return the state in bytes of the broker. Raises StateError if they are not one."""
    try:
        with zstandard.ZstdDecompressor().stream_reader(data) as reader:
            text = reader.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise StateError("the state of a class is too large")
        state = ClassState.model_validate_json(text)
    except zstandard.ZstdError as error:
        raise StateError("the state of a class is damaged") from error
    except ValidationError as error:
        # Without what was read, which may be a secret.
        fault = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, fault["loc"]))
        raise StateError(f"the state of a class has a wrong {where[:100] or 'form'}") from None
    lessons, shown = state.questions.lessons, state.questions.shown_lesson
    if shown is not None and shown >= len(lessons):
        raise StateError("the state of a class shows a question that it lacks")
    for question in (*lessons, *([state.questions.current] if state.questions.current else [])):
        if not question.is_sound():
            raise StateError("the state of a class has an answer that fits no question")
    return state
