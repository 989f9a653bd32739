"""Schemas of the embedding: one step, several steps, tokens and their neighbours, one token over time."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from lamplighter.serving.schemas.base import ApiModel, HasReason, Items


class Keyframe(ApiModel):
    """A step at which the full matrix is kept."""

    attempt: int
    step: int


class Keyframes(Items[Keyframe]):
    """The keyframes, and whether the steps between them can be rebuilt."""

    exact: bool
    """True if every step from `from` to `to` rebuilds bit for bit."""
    stretches: list[tuple[int, int]]
    """First and last step of each stretch on this page in which every step rebuilds bit for bit."""
    from_: int = Field(serialization_alias="from")
    to: int
    next: str | None
    """The URL of the next page; null on the last."""


class Waypoint(ApiModel):
    """A step whose output matrix is kept."""

    attempt: int
    step: int


class Waypoints(Items[Waypoint], HasReason):
    """The steps whose output matrix is kept, ascending; `code` and `values` say why there is no map."""

    SENTENCE = "no_map"

    tied: bool | None
    """True if the input and the output matrix are tied; null for a run that was not trained here."""
    last_map_step: int | None
    """The last step at which a map of the output matrix would be laid out, the newest waypoint; null if there is
    none."""
    map_time: float | None
    """The time at which the existing map of the output matrix was written, in seconds since 1970; null if there is
    none."""
    no_map: str | None
    """The reason why no map of the output matrix can be laid out, as a sentence; null if one can."""


class Norms(ApiModel):
    """The norm of every row."""

    attempt: int
    step: int
    exact: bool
    """True if `step` is the requested one."""
    norms: list[float | None]
    """Euclidean, by token id."""


class Vectors(ApiModel):
    """Rows of the embedding over several steps."""

    attempt: int
    """The attempt of the last step."""
    steps: list[int]
    token_ids: list[int]
    vectors: list[list[list[float | None]]]
    """By step, then by token."""


class DifferenceProgress(ApiModel):
    """How far the measurement of a difference is."""

    share: float | None
    """The share done; null while these two runs are not being measured."""


class WordDistances(ApiModel):
    """How far each row of a run is from that of the same word in another run, by token id."""

    attempt: int
    step: int
    exact: bool
    """True if both steps are the ones asked for."""
    other: str
    """The id of the other run."""
    other_attempt: int
    other_step: int
    neighbours: int
    """Nearest words that are compared."""
    raw: list[float | None]
    """Distances as the matrices are; null if the other run lacks the word, or if the widths differ."""
    aligned: list[float | None]
    """Distances after the other has been rotated onto the run."""
    kept: list[float | None]
    """Neighbours kept; null if they were not found."""


class Displacement(ApiModel):
    """The distance that a token's row moved."""

    token_id: int
    token: str
    class_: str | None = Field(serialization_alias="class")
    distance: float
    """Euclidean, between its vectors after the two steps."""


class Displacements(Items[Displacement]):
    """The rows that moved farthest between two steps, farthest first."""

    attempt: int
    """The attempt of the last step."""
    from_: int = Field(serialization_alias="from")
    to: int
    rows: int
    """Number of rows in the embedding."""
    moved: int
    """Number of rows that moved."""


class VectorHistoryResponse(ApiModel):
    """One token's vector at the exactly kept steps."""

    token_id: int
    steps: list[int]
    vectors: list[list[float | None]]


class MotionHistoryResponse(ApiModel):
    """The motion of one token's vector over the exactly kept steps."""

    token_id: int
    steps: list[int]
    length: list[float | None]
    """Euclidean norm of the vector."""
    displacement: list[float | None]
    """Euclidean distance from the previous kept step; null at the first."""
    turned: list[float | None]
    """Degrees between the vector and that of the previous kept step; null at the first, and if either is zero."""
    turned_since_first: list[float | None]
    """Degrees between the vector and that of the first kept step of the range."""


class PairHistoryResponse(ApiModel):
    """The distance between two tokens' vectors at the exactly kept steps."""

    token_id: int
    with_: int = Field(serialization_alias="with")
    steps: list[int]
    distance: list[float | None]
    """Euclidean."""
    cosine: list[float | None]
    """Null if either vector is zero."""


class GradientHistoryResponse(ApiModel):
    """One token's gradient, at the steps whose batch contained it or whose gradient reached its row."""

    token_id: int
    steps: list[int]
    occurrences: list[int]
    """Occurrences in the batch; 0 if the row got a gradient without being in the batch."""
    gradient: list[float | None]
    """Euclidean norm of the row's gradient, before clipping if the run was trained here; null if the step's gradients are not recorded."""


class MapHistoryResponse(ApiModel):
    """One token's positions on the map, by layout."""

    token_id: int
    method: Literal["linear", "umap"]
    steps: list[int]
    x: list[float]
    y: list[float]


class SpreadResponse(ApiModel):
    """The distribution of a number over many pairs; null without pairs."""

    mean: float | None
    deviation: float | None
    least: float | None
    most: float | None


class PairsMeasured(ApiModel):
    """Cosine and Euclidean distance of pairs of rows."""

    pairs: int
    cosine: SpreadResponse
    distance: SpreadResponse


class PairTable(ApiModel):
    """Square tables of every token against every other, in the order of the request."""

    cosine: list[list[float | None]]
    distance: list[list[float | None]]


class Pairs(ApiModel):
    """The pairwise similarity of some tokens' rows at a step, and of random rows of the matrix."""

    step: int
    exact: bool
    token_ids: list[int]
    among: PairsMeasured
    random: PairsMeasured
    table: PairTable | None
    """Null for more than a few tokens."""


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
