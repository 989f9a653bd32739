"""Parts that several kinds of answers share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from lamplighter.contract.documented_model import DocumentedModel

TextName = Literal["training", "held_out"]
"""The text on which losses are measured."""
Maybe = float | None
"""A number; None if it is not finite or not known."""
WordNumber = tuple[int, float]
"""A token id with a number: its probability, cosine, norm or distance."""


def _drop_default(schema: dict[str, Any]) -> None:
    schema.pop("default")


Omitted = Field(json_schema_extra=_drop_default)
"""A field with a default that is omitted from an answer when unset: readers must not rely on it."""


class AnswerPart(DocumentedModel):
    """A part of an answer. Unknown fields are dropped when a stored answer is read."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, extra="ignore")


class Replayed(AnswerPart):
    """How the model was brought to the examined step."""

    origin: Annotated[int, Field(alias="from")]
    """The step of the recorded state it started from."""
    steps: int
    """Number of steps recomputed from there."""
    equal: bool | None
    """True if every step matched the record; null without a record."""
    difference: Maybe
    """Largest difference between the computed and the recorded embedding; null if unknown."""


class AnswerBase(AnswerPart):
    """The fields of every answer."""

    step: int
    """The step of the question."""
    attempt: int
    """The attempt to which that step belongs."""
    replayed: Replayed
    imported: Annotated[bool, Omitted] = False
    """True if the answer came with an imported run and is untrusted."""


class SaidWord(AnswerPart):
    """A word that the model said."""

    id: int
    p: float
    """Its probability."""
    candidates: list[WordNumber]
    """The most probable words at that position with their probabilities, in descending order."""


class LossChange(AnswerPart):
    """A loss in nats, before and after a change."""

    before: Maybe
    after: Maybe


class MeanError(AnswerPart):
    """A mean with its standard error."""

    mean: Maybe
    error: Maybe
    """Null for fewer than two values."""


class LossPair(LossChange):
    """Mean loss in nats over some predictions, before and after an update."""

    predictions: int
