"""The turning points of a run, as told: over REST, in Python, and as JSON by the command line."""

from __future__ import annotations

from lamplighter.contract.documented_model import DocumentedModel
from lamplighter.outliers.turning_points.turning_values import Kind


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
