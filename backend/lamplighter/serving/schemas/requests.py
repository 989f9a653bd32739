"""Schemas of the requests that a run takes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from lamplighter.recipe import MapMethodKind
from lamplighter.serving.schemas.base import AskedBody


class Plain(AskedBody):
    """A request without parameters."""

    kind: Literal["pause", "resume", "step", "stop"]


class Pace(AskedBody):
    """A limit on the training speed; null for full speed."""

    kind: Literal["pace"]
    steps_per_second: Annotated[float | None, Field(gt=0, le=10_000)]


class LearningRate(AskedBody):
    """A new learning rate, from the next step on."""

    kind: Literal["learning_rate"]
    value: Annotated[float, Field(gt=0, le=10)]


class Continue(AskedBody):
    """A request to continue a run that is over, for `steps` beyond its planned end, at a new learning rate if one is
    given.
    """

    kind: Literal["continue"]
    steps: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    learning_rate: Annotated[float | None, Field(gt=0, le=10)] = None


class ChangeMap(AskedBody):
    """A change of the map's settings, starting from the current positions; omitted fields keep their values."""

    kind: Literal["map"]
    method: MapMethodKind | None = None
    neighbours: Annotated[int | None, Field(ge=2, le=200)] = None
    min_dist: Annotated[float | None, Field(ge=0, le=3)] = None
    """At most `spread`."""
    spread: Annotated[float | None, Field(ge=0.1, le=5)] = None

    @model_validator(mode="after")
    def _names_something(self) -> ChangeMap:
        if self.method is self.neighbours is self.min_dist is self.spread is None:
            raise ValueError("say what to change: method, neighbours, min_dist or spread")
        return self


Asked = Annotated[Plain | Pace | LearningRate | Continue | ChangeMap, Field(discriminator="kind")]


class Accepted(BaseModel):
    """A stored request; the live socket acknowledges it when it takes effect."""

    request: str
