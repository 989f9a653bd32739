"""What REST answers of the map's trust and of districts (`docs/rest.md`), as types."""

from __future__ import annotations

from pydantic import BaseModel

from lamplighter.serving.shapes import Items


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


class DistrictEvent(BaseModel):
    """What became of a district. Ids are of these events alone."""

    id: int
    time: float
    attempt: int
    step: int
    kind: str
    """`district-born`, `district-gone`, `district-merged` or `district-split`."""
    message: str
