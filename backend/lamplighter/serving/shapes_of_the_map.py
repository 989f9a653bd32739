"""The map: its layouts, how it is drawn, its trust, districts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from lamplighter.recipe import MapRecipe
from lamplighter.serving.shapes import AskedBody, Items


class BasisOf(BaseModel):
    """The step whose matrix gave the directions of the linear view."""

    attempt: int
    step: int


class MapInFull(BaseModel):
    """How the map is drawn."""

    chosen: MapRecipe
    """The newest layouts."""
    asked: MapRecipe
    """How it will be once everything that was asked for is taken up."""
    settled: bool
    """Nothing is asked for, and of a run that is over the map has come to rest since."""
    linear: BasisOf | None
    """null before the first linear layout."""


class Places(BaseModel):
    """Several layouts."""

    method: Literal["linear", "umap"]
    steps: list[int]
    places: list[list[tuple[float, float]]]
    """By layout, then by token."""


class LayoutFacts(BaseModel):
    """A layout in the list: which, and how far to trust it (null: not estimated)."""

    attempt: int
    step: int
    method: Literal["linear", "umap", "refit", "pca"]
    """What drew it."""
    trust: float | None
    trust_error: float | None
    recall: float | None


class LayoutInList(LayoutFacts):
    """A layout in the list; its id grows in the order they were made."""

    id: int


class Layouts(Items[LayoutInList]):
    """The layouts that count, in the order they were made."""

    next: str | None
    """The address of the next page; null on the last."""


class LayoutInFull(LayoutFacts):
    """A layout with its coordinates by token id."""

    coordinates: list[tuple[float, float]]


class NewReprojection(AskedBody):
    """Lay a run out anew."""

    slices: Annotated[int | None, Field(ge=2, le=1_000)] = None
    """How many steps, evenly over those that are kept; null for 120."""


class MadeAnew(BaseModel):
    """Layouts made anew that are there."""

    steps: int
    first: int
    last: int
    time: float


class Reprojection(BaseModel):
    """A run that is being laid out anew, or was."""

    state: Literal["none", "running", "done", "failed", "cancelled"]
    """Of the last one begun by this server."""
    share: float
    """How much of it is done, from 0 to 1."""
    what: str
    problem: str | None
    made: MadeAnew | None
    """null where there are none."""


class Estimate(BaseModel):
    """What was kept with the layout: estimated on a sample of tokens (null: not estimated)."""

    trust: float | None
    trust_error: float | None
    recall: float | None
    sample: int


class InFull(BaseModel):
    """The same over all tokens, computed now; null for fewer than three."""

    trust: float | None
    recall: float | None
    neighbours: int
    tokens: int


class Doubtful(BaseModel):
    """The tokens whose own surroundings on the map are hardly their surroundings in the space."""

    below: float
    """What counts as doubtful: a trust of its own below that."""
    count: int
    token_ids: list[int]
    """The least trusted first, at most 1,000."""


class LayoutTrust(BaseModel):
    """How far a layout can be trusted."""

    attempt: int
    step: int
    method: str
    estimate: Estimate
    full: InFull | None
    """Null where it was not asked for."""
    doubtful: Doubtful | None
    """Null where the trust of each token is not known."""


class District(BaseModel):
    """A cluster of the space."""

    id: int
    """Its own as long as it lives."""
    name: str
    token_ids: list[int]


class Districts(Items[District]):
    """The districts of a step; in no order but that of their ids."""

    attempt: int
    step: int


class DistrictsInList(BaseModel):
    """That districts were found at a step."""

    attempt: int
    step: int


class DistrictEvent(BaseModel):
    """What became of a district. Ids are of these events alone."""

    id: int
    time: float
    attempt: int
    step: int
    kind: str
    """`district-born`, `district-gone`, `district-merged` or `district-split`."""
    message: str
