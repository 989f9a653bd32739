"""The messages between the servers of one class: a viewer's wish, the owner's answer, and which viewers are where."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lamplighter.serving.schemas.classroom import PointedWord, PredictionMessage, ShortCode

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
