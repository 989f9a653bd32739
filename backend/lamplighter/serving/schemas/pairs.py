"""Schemas of the pairwise similarity of tokens."""

from __future__ import annotations

from lamplighter.serving.schemas.base import ApiModel


class SpreadResponse(ApiModel):
    """The distribution of a number over many pairs; null if there was no pair."""

    mean: float | None
    deviation: float | None
    least: float | None
    most: float | None


class SimilarityResponse(ApiModel):
    """Cosine and Euclidean distance of pairs of rows."""

    pairs: int
    cosine: SpreadResponse
    distance: SpreadResponse


class PairTable(ApiModel):
    """Square tables of every token against every other, in the order in which the tokens were named."""

    cosine: list[list[float | None]]
    distance: list[list[float | None]]


class Pairs(ApiModel):
    """The pairwise similarity of some tokens' rows at a step, beside that of random rows of the matrix."""

    step: int
    exact: bool
    token_ids: list[int]
    among: SimilarityResponse
    random: SimilarityResponse
    table: PairTable | None
    """Null for more than a few tokens."""
