"""Schemas of the live socket's text messages (`docs/wire.md`)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from lamplighter.serving.schemas.base import Partial
from lamplighter.serving.schemas.runs import RunInFull, Status
from lamplighter.serving.schemas.steps import Measures


class StatusMessage(BaseModel):
    """A live socket message: the run's state changed."""

    type: Literal["status"] = "status"
    status: Status


class HelloMessage(Partial):
    """The first message on the live socket."""

    type: Literal["hello"] = "hello"
    run: RunInFull
    channels: list[str]

    def absent(self) -> Any:
        """Return the fields to omit from `run`."""
        return {"run": self.run.absent()}


class MeasuresMessage(Measures):
    """A live socket message: new measures."""

    type: Literal["measures"] = "measures"


class AcknowledgedMessage(BaseModel):
    """A live socket message: a request took effect."""

    type: Literal["acknowledged"] = "acknowledged"
    request: str
    kind: str
    step: int
