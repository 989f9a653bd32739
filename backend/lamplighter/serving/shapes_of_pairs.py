"""How alike some tokens are, pair by pair."""

from __future__ import annotations

from pydantic import BaseModel


class Spread(BaseModel):
    """A number measured on many pairs; null where there was no pair."""

    mean: float | None
    deviation: float | None
    least: float | None
    most: float | None


class Likeness(BaseModel):
    """Cosine and Euclidean distance of pairs of rows."""

    pairs: int
    cosine: Spread
    distance: Spread


class PairTable(BaseModel):
    """Every token with every other, both ways, in the order in which they were named."""

    cosine: list[list[float | None]]
    distance: list[list[float | None]]


class Pairs(BaseModel):
    """How alike the rows of some tokens are at a step, beside any two rows of the matrix."""

    step: int
    exact: bool
    token_ids: list[int]
    among: Likeness
    random: Likeness
    table: PairTable | None
    """Of few tokens."""
