"""Schemas of the requests to a run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lamplighter.contract.recipe import MapMethodKind
from lamplighter.serving.schemas.base import ApiModel, RequestBody


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
    method: MapMethodKind | None = None
    neighbours: Annotated[int | None, Field(ge=2, le=200)] = None
    min_dist: Annotated[float | None, Field(ge=0, le=3)] = None
    """At most `spread`."""
    spread: Annotated[float | None, Field(ge=0.1, le=5)] = None

    @model_validator(mode="after")
    def _require_a_change(self) -> MapRequest:
        if self.method is self.neighbours is self.min_dist is self.spread is None:
            raise ValueError("name a setting to change: method, neighbours, min_dist or spread")
        return self


RunRequest = Annotated[
    PlainRequest | PaceRequest | LearningRateRequest | ContinueRequest | MapRequest,
    Field(discriminator="kind"),
]


class AcceptedRequest(ApiModel):
    """A stored request; the live socket acknowledges it when it takes effect."""

    request: str
