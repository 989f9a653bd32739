"""The steps that stand out, and those at which curves turn, as told: over REST, in Python, and as JSON."""

from __future__ import annotations

from typing import Literal

from lamplighter.contract.answers.parts import Maybe
from lamplighter.contract.documented_model import DocumentedModel
from lamplighter.outliers.turning_values import Kind

Figure = Literal["loss", "gradient_norm", "rows_moved"]
OutlyingKind = Literal["spike", "jump", "not_finite"]


class StepFigure(DocumentedModel):
    """A figure of a step, or of several side by side, beside what the steps around foretell."""

    figure: Figure
    """`loss`, nats per token; `gradient_norm`, of all parameters, before clipping where that is recorded; `rows_moved`, of
    the embedding."""
    value: Maybe
    """Its value; of several steps that stand out their median, and of a jump that after it; null if it is no finite number."""
    expected: Maybe
    """The value that the steps before and after foretell; of a jump that before it. Null if `value` is."""
    spreads: Maybe
    """How far off it is, in robust standard deviations; for the gradient norm, of its logarithm. Null if `value` is."""
    by_chance: float
    """How many stretches of steps chance alone would put so far off, in all figures together; 0 if `value` is null."""


class OutlyingStep(DocumentedModel):
    """A step that stands out, or several side by side."""

    step: int
    """The first."""
    until: int
    """The last; of a jump, the last that was judged."""
    number: int | None
    """The number of the first in the loop that was recorded; null if unknown."""
    until_number: int | None
    """That of the last."""
    kind: OutlyingKind
    """`spike`: those after are as those before. `jump`: a new level begins here. `not_finite`: a figure is no finite number."""
    figures: list[StepFigure]
    """The figures that stand out, the least likely first."""


class OutlyingSteps(DocumentedModel):
    """The steps of a run that stand out."""

    items: list[OutlyingStep]
    """The least likely first."""
    first: int
    """The first step that was judged."""
    last: int
    """The last."""
    figures: list[Figure]
    """The figures that could be judged: they are recorded, and vary."""
    limit: float
    """Steps stand out if chance alone would put fewer than this number so far off."""
    found: int
    """The number of items that were found; `items` has at most those that were asked for."""


class TopLoss(DocumentedModel):
    """A prediction with one of the largest losses of its step."""

    place: int
    """Its place in the batch: sequence times context plus position."""
    loss: float
    """Nats."""
    target: int | None
    """The token that was to be predicted; null if the loop did not give the ids in their order."""
    before: list[int]
    """The tokens before it in its sequence, as far as they are known, at most 16."""


class MovedRow(DocumentedModel):
    """A row of the embedding that a step moved."""

    token_id: int
    distance: float
    usual: Maybe
    """The median of its distances in the steps around that moved it too; null if none did."""


class NeighbourhoodShare(DocumentedModel):
    """The share of a neighbourhood in the movement of a step."""

    id: int
    """The id of the neighbourhood; its name is in `/districts`."""
    share: float
    """Its part of the sum of the distances that rows moved."""
    usual: Maybe
    """The median of that part in the steps around."""


class StepCause(DocumentedModel):
    """The contents of a step."""

    step: int
    number: int | None
    """Its number in the loop that was recorded; null if unknown."""
    figures: list[StepFigure]
    """All its figures that could be judged, the least likely first."""
    top_losses: list[TopLoss]
    """The predictions with the largest losses, largest first; empty if they were not kept."""
    top_share: Maybe
    """The part of the step's whole loss that is theirs; null if it is not known."""
    usual_top_share: Maybe
    """The median of that part in the steps around."""
    rows: list[MovedRow]
    """The rows that moved farthest, farthest first, at most 16."""
    neighbourhoods: list[NeighbourhoodShare]
    """The neighbourhoods whose rows moved most, at most 5; empty before the first search for neighbourhoods."""
    around: list[int]
    """The first and the last of the steps around with which it is compared."""


class TurningPoint(DocumentedModel):
    """A step at which a curve turns."""

    curve: str
    """The name of the measure (`/measures`); `loss`, the training loss; of an answered question about heads
    `induction_head` and `previous_token_head`, the best score of any head, `in_context`, the in-context score, and
    `repetition`, the nats that repetition saves."""
    step: int
    number: int | None
    """The number of the step in the loop that was recorded; null if unknown."""
    between: list[int]
    """The first and the last step at which it may have turned, at 95 %."""
    between_numbers: list[int | None]
    """Their numbers in the loop."""
    kind: Kind
    """Whether the curve hardly moved before (`begins`), moved the same way (`speeds_up`), or the other way (`reverses`)."""
    value: float
    """Its value there, or the mean around."""
    change: float
    """How far it then goes, up to its next turn or the last step."""
    share: float
    """That as a share of the whole range of the curve."""
    by_chance: float
    """How many turning points as clear as this chance alone would make, in all curves of the run together."""


class TurningPoints(DocumentedModel):
    """The turning points of a run."""

    items: list[TurningPoint]
    """Those after which the curve goes farthest, as a share of its range, come first."""
    judged: list[str]
    """The curves that were judged: they have enough values, and change enough."""
    limit: float
    """A turning point is told if chance alone would make fewer than this number."""
