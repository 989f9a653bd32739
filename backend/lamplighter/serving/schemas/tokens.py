"""Schemas of tokens and their neighbours."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

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
    placed: Annotated[bool | SkipJsonSchema[None], Field(exclude_if=lambda value: value is None)] = None
    """True if the map of a large vocabulary places it by its landmarks; absent if it lays it out."""


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
