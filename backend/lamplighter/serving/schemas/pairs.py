"""Schemas of the pairwise similarity of tokens."""

from __future__ import annotations

from pydantic import BaseModel


class SpreadResponse(BaseModel):
    """The distribution of a number over many pairs; null if there was no pair."""

    mean: float | None
    deviation: float | None
    least: float | None
    most: float | None


class SimilarityResponse(BaseModel):
    """Cosine and Euclidean distance of pairs of rows."""

    pairs: int
    cosine: SpreadResponse
    distance: SpreadResponse


class PairTable(BaseModel):
    """Square tables of every token against every other, in the order in which the tokens were named."""

    cosine: list[list[float | None]]
    distance: list[list[float | None]]


class Pairs(BaseModel):
    """The pairwise similarity of some tokens' rows at a step, beside that of random rows of the matrix."""

    step: int
    exact: bool
    token_ids: list[int]
    among: SimilarityResponse
    random: SimilarityResponse
    table: PairTable | None
    """Null for more than a few tokens."""
