"""The evidence about a run that claims are judged by: plain numbers, gathered once (`gathering.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from lamplighter.answers import Answer
from lamplighter.answers.parts import AnswerBase
from lamplighter.claims.codes import WaitCode
from lamplighter.claims.intervals import Spread
from lamplighter.recipe import OptimiserKind

_Answer = TypeVar("_Answer", bound=AnswerBase)
Measures = Mapping[int, Mapping[str, float]]


@dataclass(frozen=True)
class PulseFigures:
    """Figures of the steps that were looked at, each array of shape (N,), ascending by step; NaN where unknown."""

    steps: NDArray[np.int64]
    batch_rows: NDArray[np.float64]
    gradient_rows: NDArray[np.float64]
    moved_rows: NDArray[np.float64]
    moved_sleepers: NDArray[np.float64]
    """Rows that moved without being in the batch."""
    verified: NDArray[np.bool_]
    """True where the whole matrix was compared, so that no row can have moved unseen."""
    lit_distance: NDArray[np.float64]
    """Median distance that a row of the batch moved."""
    least_norm: NDArray[np.float64]
    """Smallest norm of a layer's gradient; NaN unless two layers are recorded."""
    most_norm: NDArray[np.float64]
    """Largest norm of a layer's gradient; NaN likewise."""
    seconds: NDArray[np.float64]
    """Duration of training alone."""
    recorded: int
    """Steps of the lineage that are recorded, of all."""


@dataclass(frozen=True)
class OrderFigures:
    """Figures of the planted kinds of words in one matrix, each beside what it is where labels are dealt at random."""

    purity: Spread
    """10-NN purity, with its standard error over the kinds."""
    purity_dealt: Spread
    information: float
    """Bits that a word's nearest tell about its kind."""
    information_dealt: Spread
    information_most: float
    """The most bits there can be."""

    @property
    def grouped(self) -> float:
        """Return the part of what purity can gain beyond chance that it has gained: 0 for chance, 1 for all."""
        return _part(self.purity.mean, self.purity_dealt.mean, 1.0)

    @property
    def surely_grouped(self) -> float:
        """Return `grouped` at the lower end of the interval of purity."""
        return _part(self.purity.low, self.purity_dealt.mean, 1.0)

    @property
    def ordered(self) -> float:
        """Return the part of the information to be gained beyond chance that is gained."""
        return _part(self.information, self.information_dealt.mean, self.information_most)


def _part(value: float, chance: float, most: float) -> float:
    return (value - chance) / (most - chance) if most > chance else 0.0


@dataclass(frozen=True)
class MatrixFigures:
    """Figures of the embedding after a step."""

    step: int
    order: OrderFigures | None
    """None without planted kinds."""
    nearest_cosine: float
    """Mean cosine of a row with its nearest."""
    row_length: float
    """Median length of a row."""
    turn: float | None
    """Median angle by which the rows that moved were turned in that step, in degrees; None where unknown."""
    length_follows: float | None = None
    """Rank correlation of a row's length with its word's count; None where the counts are not known."""
    apart: Spread | None = None
    """Distance of two words drawn at random, beside the median length."""


@dataclass(frozen=True)
class RelationFigures:
    """Figures of how a planted relation is answered by a sum of three words, and by less."""

    score: float
    """Share of its analogies that are answered."""
    pairs: int
    right_class: float
    """Share that guessing among the words of the right kind would answer."""
    nearest_of_c: float
    """Share that the nearest of the third word answers alone."""


@dataclass(frozen=True)
class TurnedFigures:
    """Figures of the embedding after a random rotation."""

    step: int
    changed: float
    """Share of the coordinates that differ."""
    kept: float
    """Share of the looked-at rows with the same ten nearest."""
    shuffled: float
    """Share of kept lists where the rows are in another order: the null."""


@dataclass(frozen=True)
class TouchFigures:
    """Figures of how often rows were in a batch."""

    step: int
    correlation: float | None
    """Rank correlation of touches with the counts in the text."""
    never: int
    """Rows that were never in a batch."""
    missed: int
    """Those of them whose words are in the text: `<unk>` may be in none."""
    first_never: int | None
    """The smallest id of such a row."""
    most: int
    median: float
    correlation_dealt: Spread | None = None
    """The same where the counts are dealt to the words at random."""


@dataclass(frozen=True)
class TrustFigures:
    """Figures of the newest layout of the map."""

    step: int
    trust: float | None
    recall: float | None


@dataclass(frozen=True)
class EnergyFigures:
    """Figures of what a run took, by step."""

    method: str
    """Name of the method by which it is known."""
    joules: Mapping[int, float]
    """Joules until each step."""
    since: int = 0
    """The step from which on they count."""


@dataclass(frozen=True)
class EarlierShare:
    """The share of a word's ten nearest that a table has in common with itself some steps earlier."""

    table: Literal["input", "output"]
    steps: int
    share: float


@dataclass(frozen=True)
class CityFigures:
    """Figures of the input matrix beside the output matrix."""

    step: int
    words: tuple[str, str]
    foretells: tuple[int, int]
    """Mutual ranks of the two words in the input matrix."""
    foretold: tuple[int, int]
    """Mutual ranks in the output matrix."""
    shared: Spread
    """Share of a word's ten nearest that are the same in both, with its standard error over the words."""
    earlier: tuple[EarlierShare, ...]
    """The same share between a table and itself some hundred steps earlier."""
    follows: Spread | None
    """By how much nearness in the input matrix agrees better with which words follow than with which come before: the
    difference of two correlations, with its standard error over the words; None where the text is not here."""
    precedes: Spread | None
    """By how much nearness in the output matrix agrees better with which words come before."""
    other_seed: Spread | None = None
    """Share of the ten nearest in the input matrix that are the same with another seed; None where there is no such run."""


@dataclass(frozen=True)
class StoredAnswer:
    """An answer that the examiner has stored, or that came with an imported run."""

    answer: Answer
    id: str
    """The id of the examination."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The evidence about one run; None, or empty, where something is not known."""

    step: int
    """The newest step."""
    examined_step: int
    """The step that the model is asked about."""
    training: bool = False
    """True until the run has ended."""
    rows: int
    width: int
    parameters: int | None = None
    tied: bool = False
    optimiser: OptimiserKind = "lazy"
    batch_tokens: int = 0
    """Words in a batch; 0 where that is not known."""
    recorded_elsewhere: bool = False
    """True for a run of somebody's own loop, whose model is not here."""
    classes: bool = False
    """True where classes are planted."""
    word: str | None = None
    """A word to look at."""
    partner: str | None = None
    """A word that belongs with it."""
    opposites: tuple[str, str] | None = None
    """Two words of opposite meaning."""
    sentences: tuple[str, str] | None = None
    """Two sentences that share a word."""
    measures: Measures = field(default_factory=dict[int, Mapping[str, float]])
    pulses: PulseFigures | None = None
    first: MatrixFigures | None = None
    """The first kept matrix."""
    newest: MatrixFigures | None = None
    row_lengths: Mapping[int, float] = field(default_factory=dict[int, float])
    """Median length of a row at chosen steps."""
    relations: Mapping[str, RelationFigures] = field(default_factory=dict[str, RelationFigures])
    """How each planted relation is answered by the newest kept matrix."""
    first_turn: float | None = None
    """Median angle, in degrees, by which step 1 turned the rows it moved."""
    chance_cosine: Spread | None = None
    """Mean cosine of a row with its nearest where all directions are random."""
    turned: TurnedFigures | None = None
    touches: TouchFigures | None = None
    trust: TrustFigures | None = None
    energy: EnergyFigures | None = None
    cities: CityFigures | None = None
    no_output_matrix: WaitCode | None = None
    """The code of why there is no output matrix to compare; None where that is not known."""
    answers: Mapping[str, StoredAnswer] = field(default_factory=dict[str, StoredAnswer])
    """The newest answer to the board's own question, by kind."""
    control: Evidence | None = None
    """The evidence about the control: a run of the same recipe on shuffled words; None where there is none."""

    def answer(self, model: type[_Answer]) -> _Answer | None:
        """Return the answer of a kind; None where there is none."""
        answers = (stored.answer for stored in self.answers.values())
        return next((answer for answer in answers if isinstance(answer, model)), None)

    def series(self, name: str) -> dict[int, float]:
        """Return a measure by step, ascending."""
        return {step: values[name] for step, values in sorted(self.measures.items()) if name in values}
