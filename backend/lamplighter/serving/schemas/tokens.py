"""Schemas of tokens and their neighbours."""

from __future__ import annotations

from pydantic import Field

from lamplighter.serving.schemas.base import ApiModel, Items


class Token(ApiModel):
    """A token of the vocabulary."""

    token_id: int
    token: str
    """In the tokeniser's form."""
    text: str
    """As displayed: `learn` for `Ġlearn`, which begins a word, `-ing` for `ing`, which continues one."""
    count: int | None
    """Occurrences in the text; null if unknown."""
    class_: str | None = Field(serialization_alias="class")


class TokenList(Items[Token]):
    """Tokens that match a search, the best match first, or all by id."""


class TokenDetails(Token):
    """A token at a step."""

    step: int
    exact: bool
    """True if `step` is the requested one."""
    norm: float | None
    touches: int
    """Number of batches that contained it."""
    last_lit: int | None
    """The last step whose batch contained it; null for none."""


class Neighbour(ApiModel):
    """A nearby token."""

    token_id: int
    token: str
    class_: str | None = Field(serialization_alias="class")
    cosine: float | None


class NeighboursResponse(Items[Neighbour]):
    """The nearest tokens at a step, by cosine."""

    step: int
    exact: bool
