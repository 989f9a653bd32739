"""The answer about when each word was learned."""

from __future__ import annotations

from typing import Literal

from lamplighter.contract.answers.parts import AnswerBase, AnswerPart, Maybe, TextName

WordState = Literal["learned", "before", "unlearned", "unfitted"]
"""What became of a word: learned at its age; known at the first state read; never learned; or learned, but not along a
sigmoid, so that it has no age."""
PredictorName = Literal["frequency", "length", "meanings", "class"]


class WordCurve(AnswerPart):
    """The surprisal of a word at each state that was read, and when it was learned."""

    id: int
    occurrences: int
    """The occurrences averaged."""
    surprisal: list[float]
    """Mean surprisal in bits at each of the answer's steps."""
    alone: Maybe
    """Surprisal in bits for a model that knows only the word's frequency; null if that is unknown."""
    state: WordState
    age: Maybe
    """The step at the midpoint of the fitted sigmoid, its age of acquisition; null unless it was learned."""
    error: Maybe
    """Standard error of the decimal logarithm of the age, over the choice of occurrences."""
    width: Maybe
    """The scale of the sigmoid along the decimal logarithm of the step."""
    floor: Maybe
    """The surprisal in bits to which the sigmoid falls."""
    forgotten: Maybe
    """How many bits the surprisal has risen since its minimum, if that is more than three standard errors; else null."""


class AgePredictor(AnswerPart):
    """What one property of words tells about their ages, with the others held constant."""

    name: PredictorName
    """`frequency`: decimal logarithm of the count in the text; `length`: characters; `meanings`: how many were planted;
    `class`: the planted family or class."""
    slope: Maybe
    """Change of the decimal logarithm of the age for one more; null for classes, which have no order."""
    low: Maybe
    high: Maybe
    """The 95 % interval of the slope."""
    share: float
    """The share of the variance that only it explains."""
    chance: float
    """The share exceeded in 5 of 100 draws in which the residuals of the others are shuffled among the words."""


class AgeRegression(AnswerPart):
    """A least-squares regression of the decimal logarithm of the age on properties of words."""

    words: int
    explained: float
    """Share of the variance explained (R²)."""
    chance: float
    """The share exceeded in 5 of 100 draws in which the ages are shuffled among the words."""
    predictors: list[AgePredictor]


class AcquisitionAnswer(AnswerBase):
    """When the model learned each word (Chang and Bergen 2022, arXiv 2110.02406)."""

    kind: Literal["acquisition"]
    steps: list[int]
    """The steps whose states were read, ascending."""
    words: list[WordCurve]
    """The most frequent first."""
    chance: float
    """Surprisal of random guessing in bits: the sigmoid falls from there."""
    text: TextName
    predictions: int
    """Predictions of the text that was read."""
    least: int
    """Occurrences that a word needs for a curve."""
    rare: int
    """Words of the vocabulary that occur less often, and have none."""
    more: int
    """Words that occur often enough, but come after the maximum."""
    forgotten_chance: float
    """The number of words that chance would mark as forgotten: by the same rule, with the states after learning in random order."""
    regression: AgeRegression | None
    """Null if too few words have an age."""
