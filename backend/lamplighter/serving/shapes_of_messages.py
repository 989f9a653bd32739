"""The text messages of the live socket (`docs/wire.md`)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from lamplighter.serving.shapes import Partial
from lamplighter.serving.shapes_of_runs import RunInFull, Status
from lamplighter.serving.shapes_of_steps import Measures


class StatusMessage(BaseModel):
    """On the live socket: the run's state changed."""

    type: Literal["status"] = "status"
    status: Status


class HelloMessage(Partial):
    """On the live socket, first."""

    type: Literal["hello"] = "hello"
    run: RunInFull
    channels: list[str]

    def absent(self) -> Any:
        """The same of its run."""
        return {"run": self.run.absent()}


class MeasuresMessage(Measures):
    """On the live socket: new measures."""

    type: Literal["measures"] = "measures"


class AcknowledgedMessage(BaseModel):
    """On the live socket: a request took effect."""

    type: Literal["acknowledged"] = "acknowledged"
    request: str
    kind: str
    step: int
