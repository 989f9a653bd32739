"""Parts that the answers of several kinds have in common."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from lamplighter.documented_model import DocumentedModel

TextName = Literal["training", "held_out"]
"""The text that losses are measured on."""
Maybe = float | None
"""A number; None where it is not finite, or not known."""
WordNumber = tuple[int, float]
"""The id of a token with a number: its probability, cosine, norm or distance."""


def _drop_default(schema: dict[str, Any]) -> None:
    schema.pop("default")


Omitted = Field(json_schema_extra=_drop_default)
"""A field with a default, which is left out of an answer where it is not set: readers must not expect it."""


class AnswerPart(DocumentedModel):
    """A part of an answer. Fields that this version does not know are dropped when a stored answer is read."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, extra="ignore")


class Replayed(AnswerPart):
    """How the model was brought to the step that it is examined at."""

    origin: Annotated[int, Field(alias="from")]
    """The step whose recorded state it began from."""
    steps: int
    """Steps computed since."""
    equal: bool | None
    """True if every step came out as recorded; null where no record says."""
    difference: Maybe
    """Greatest difference of the embedding from the recorded one; null where it is not known."""


class AnswerBase(AnswerPart):
    """The fields of every answer."""

    step: int
    """The step of the question."""
    attempt: int
    """The attempt of the run in which that step counts."""
    replayed: Replayed
    imported: Annotated[bool, Omitted] = False
    """True if the answer came with an imported run, whose maker may have written anything."""


class SaidWord(AnswerPart):
    """A word that the model said."""

    id: int
    p: float
    """Its probability."""
    candidates: list[WordNumber]
    """The most probable words there with their probabilities, the likeliest first."""


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
    """The mean loss in nats of some predictions, before and after an update."""

    predictions: int
