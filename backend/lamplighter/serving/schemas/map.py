"""Schemas of the map: its layouts, its settings, its trust, districts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lamplighter.contract.recipe import MapRecipe
from lamplighter.runfolder.tables.layouts import DistrictEvent
from lamplighter.serving.schemas.base import ApiModel, HasReason, Items, RequestBody


class LinearBasis(ApiModel):
    """The step whose matrix gave the directions of the linear view."""

    attempt: int
    step: int


class MapSettingsResponse(ApiModel):
    """The map's settings."""

    chosen: MapRecipe
    """Settings of the newest layouts."""
    asked: MapRecipe
    """Settings once every pending request is applied."""
    settled: bool
    """True if no request is pending and, for a finished run, the map has come to rest."""
    linear: LinearBasis | None
    """Null before the first linear layout."""


class CoordinatesResponse(ApiModel):
    """The coordinates of several layouts."""

    method: Literal["linear", "umap"]
    steps: list[int]
    places: list[list[tuple[float, float]]]
    """By layout, then by token."""


class LayoutFacts(ApiModel):
    """The identity of a layout, and its trust (null: not estimated)."""

    attempt: int
    step: int
    method: Literal["linear", "umap", "refit", "pca"]
    """The method that drew it."""
    trust: float | None
    trust_error: float | None
    recall: float | None


class LayoutSummary(LayoutFacts):
    """A layout in the list; ids grow in the order of creation."""

    id: int


class LayoutList(Items[LayoutSummary]):
    """The current layouts, in the order of creation."""

    next: str | None
    """The URL of the next page; null on the last."""


class LayoutDetails(LayoutFacts):
    """A layout with its coordinates by token id."""

    coordinates: list[tuple[float, float]]


class NewReprojection(RequestBody):
    """A request to lay out a finished run again."""

    slices: Annotated[int | None, Field(ge=2, le=1_000)] = None
    """Number of steps to lay out, spread evenly over the kept ones; null for 120."""


class ReprojectedLayouts(ApiModel):
    """The layouts made by a reprojection."""

    steps: int
    first: int
    last: int
    time: float


class Reprojection(HasReason):
    """The state and the result of a run's reprojection."""

    state: Literal["none", "running", "done", "failed", "cancelled"]
    """The state of the last reprojection started by this server."""
    by_itself: bool = False
    """True if it started without a request: it makes way for everything else, and then starts again."""
    share: float
    """Progress, from 0 to 1."""
    what: str
    problem: str | None
    made: ReprojectedLayouts | None
    """Null if there are none."""


class TrustEstimateResponse(ApiModel):
    """The trust kept with the layout, estimated on a sample of tokens (null: not estimated)."""

    trust: float | None
    trust_error: float | None
    recall: float | None
    sample: int


class FullTrustResponse(ApiModel):
    """The trust over all tokens, computed on request; null for fewer than three tokens."""

    trust: float | None
    recall: float | None
    neighbours: int
    tokens: int


class DoubtfulTokens(ApiModel):
    """The tokens whose neighbourhood on the map differs from that in the embedding."""

    below: float
    """The threshold: a token with a trust below it is doubtful."""
    count: int
    token_ids: list[int]
    """Least trusted first, at most 1,000."""


class LayoutTrust(ApiModel):
    """The trust in a layout."""

    attempt: int
    step: int
    method: str
    estimate: TrustEstimateResponse
    full: FullTrustResponse | None
    """Null if not requested."""
    doubtful: DoubtfulTokens | None
    """Null if the trust per token is unknown."""


class District(ApiModel):
    """A cluster of the embedding."""

    id: int
    """Kept for the district's lifetime."""
    name: str
    token_ids: list[int]


class DistrictsResponse(Items[District]):
    """The districts of a step, in the order of their ids."""

    attempt: int
    step: int


class DistrictSearch(ApiModel):
    """A step at which districts were found."""

    attempt: int
    step: int


class DistrictSearchList(Items[DistrictSearch]):
    """The steps at which districts were found, oldest first."""


class DistrictEventList(Items[DistrictEvent]):
    """Events in the history of districts, oldest first."""
