"""The embedding: one step, several, one token through them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from lamplighter.serving.shapes import Items


class Keyframe(BaseModel):
    """A step at which the whole matrix is kept."""

    attempt: int
    step: int


class Keyframes(Items[Keyframe]):
    """The keyframes, and whether the steps between them can be rebuilt."""

    exact: bool
    """Every step from `from` to `to` rebuilds bit for bit."""
    stretches: list[tuple[int, int]]
    """First and last step of each stretch, of this page, of which every step rebuilds bit for bit."""
    from_: int = Field(serialization_alias="from")
    to: int
    next: str | None
    """The address of the next page; null on the last."""


class Matrix(BaseModel):
    """The embedding after a step, a row a token, and what is known of the tokens; all lists in one order."""

    attempt: int
    step: int
    token_ids: list[int]
    tokens: list[str]
    classes: list[str | None]
    counts: list[int]
    vectors: list[list[float | None]]


class Norms(BaseModel):
    """How long every row is."""

    attempt: int
    step: int
    exact: bool
    """`step` is the one that was asked for."""
    norms: list[float | None]
    """Euclidean, by token id."""


class Vectors(BaseModel):
    """Rows of the embedding through steps."""

    attempt: int
    """The one that the last step belongs to."""
    steps: list[int]
    token_ids: list[int]
    vectors: list[list[list[float | None]]]
    """By step, then by token."""


class Displacement(BaseModel):
    """How far a token's row has come."""

    token_id: int
    token: str
    class_: str | None = Field(serialization_alias="class")
    distance: float
    """Euclidean, between its vectors after the two steps."""


class Displacements(Items[Displacement]):
    """The rows that have come farthest between two steps, the farthest first."""

    attempt: int
    """The one that the last step belongs to."""
    from_: int = Field(serialization_alias="from")
    to: int
    rows: int
    """All rows of the embedding."""
    moved: int
    """Those of them that are not where they were."""


class PathOfVectors(BaseModel):
    """One token's vector through the steps that are kept exactly."""

    token_id: int
    steps: list[int]
    vectors: list[list[float | None]]


class PathOfMotion(BaseModel):
    """How one token's vector moves through the steps that are kept exactly."""

    token_id: int
    steps: list[int]
    length: list[float | None]
    """Euclidean norm of the vector."""
    displacement: list[float | None]
    """Euclidean distance from the kept step before; null at the first."""
    turned: list[float | None]
    """Degrees between the vector and that of the kept step before; null at the first, and where one has no length."""
    turned_since_first: list[float | None]
    """Degrees between the vector and that of the first kept step of the range."""


class PathOfPair(BaseModel):
    """How far apart two tokens' vectors are, through the steps that are kept exactly."""

    token_id: int
    with_: int = Field(serialization_alias="with")
    steps: list[int]
    distance: list[float | None]
    """Euclidean."""
    cosine: list[float | None]
    """null where one of the two has no length."""


class PathOfGradient(BaseModel):
    """One token's gradient, in the steps in which it was in the batch or its row got one."""

    token_id: int
    steps: list[int]
    occurrences: list[int]
    """In the batch; 0 where the row got its gradient without being in it."""
    gradient: list[float | None]
    """Euclidean norm of the row's gradient, before clipping; null where the step's gradients are not recorded."""


class PathOfPlaces(BaseModel):
    """One token's places on the map, by layout."""

    token_id: int
    method: Literal["linear", "umap"]
    steps: list[int]
    x: list[float]
    y: list[float]
