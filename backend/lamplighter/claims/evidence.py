"""The evidence about a run by which claims are judged: plain numbers, gathered once (`gathering.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from lamplighter.claims.codes import WaitCode
from lamplighter.claims.intervals import Spread
from lamplighter.contract.answers import Answer
from lamplighter.contract.answers.parts import AnswerBase
from lamplighter.contract.recipe import OptimiserKind
from lamplighter.runfolder.errors import READ_ERRORS

_Answer = TypeVar("_Answer", bound=AnswerBase)
Measures = Mapping[int, Mapping[str, float]]

UNREADABLE = (*READ_ERRORS, LookupError, ValueError, TypeError, ArithmeticError, RecursionError)
"""Errors of run files that are damaged or untrusted: what they hold is left out."""


@dataclass(frozen=True)
class PulseFigures:
    """Figures of the sampled steps, each array of shape (N,), ascending by step; NaN where unknown."""

    steps: NDArray[np.int64]
    batch_rows: NDArray[np.float64]
    gradient_rows: NDArray[np.float64]
    moved_rows: NDArray[np.float64]
    moved_sleepers: NDArray[np.float64]
    """Rows that moved without being in the batch."""
    verified: NDArray[np.bool_]
    """True where the whole matrix was compared, so that no movement went unseen."""
    lit_distance: NDArray[np.float64]
    """Median distance that a row of the batch moved."""
    least_norm: NDArray[np.float64]
    """Smallest norm of a layer's gradient; NaN unless two layers are recorded."""
    most_norm: NDArray[np.float64]
    """Largest norm of a layer's gradient; NaN likewise."""
    seconds: NDArray[np.float64]
    """Duration of training alone."""
    recorded: int
    """Number of the lineage's steps that are recorded."""
    walk: Spread | None = None
    """Root mean square distance of the rows from their start after steps as long as the recorded ones, in random
    directions; None if no movement is known.
    """


@dataclass(frozen=True)
class OrderFigures:
    """Figures of the planted word classes in one matrix, each with its value under shuffled labels."""

    purity: Spread
    """10-NN purity, with its standard error over the classes."""
    purity_dealt: Spread
    information: float
    """Bits of information that a word's nearest neighbours give about its class."""
    information_dealt: Spread
    information_most: float
    """The maximum information."""

    @property
    def grouped(self) -> float:
        """Return purity rescaled: 0 at chance, 1 at the maximum."""
        return _part(self.purity.mean, self.purity_dealt.mean, 1.0)

    @property
    def surely_grouped(self) -> float:
        """Return `grouped` at the lower end of the interval of purity."""
        return _part(self.purity.low, self.purity_dealt.mean, 1.0)

    @property
    def ordered(self) -> float:
        """Return the information rescaled: 0 at chance, 1 at the maximum."""
        return _part(self.information, self.information_dealt.mean, self.information_most)


def _part(value: float, chance: float, most: float) -> float:
    return (value - chance) / (most - chance) if most > chance else 0.0


@dataclass(frozen=True)
class MatrixFigures:
    """Figures of the embedding after a step."""

    step: int
    order: OrderFigures | None
    """None without planted classes."""
    nearest_cosine: float
    """Mean cosine between a row and its nearest."""
    turn: float | None
    """Median angle, in degrees, by which that step turned the rows it moved; None if unknown."""
    length_follows: float | None = None
    """Rank correlation of row length and word count; None if the counts are unknown."""
    apart: Spread | None = None
    """Distance between two randomly drawn words, relative to the median row length."""


@dataclass(frozen=True)
class RelationFigures:
    """How often the sum of three words completes a planted relation, and how often simpler rules do."""

    score: float
    """Share of its analogies answered correctly."""
    pairs: int
    right_class: float
    """Share answered by guessing within the right class."""
    nearest_of_c: float
    """Share answered by the nearest neighbour of the third word alone."""


@dataclass(frozen=True)
class TurnedFigures:
    """Figures of the embedding after a random rotation."""

    step: int
    changed: float
    """Share of the coordinates that differ."""
    kept: float
    """Share of the sampled rows that keep the same ten nearest."""
    shuffled: float
    """The null: share of lists kept when the rows are permuted."""


@dataclass(frozen=True)
class TouchFigures:
    """Figures of how often rows were in a batch."""

    step: int
    correlation: float | None
    """Rank correlation of touches with counts in the text."""
    never: int
    """Rows that were never in a batch."""
    missed: int
    """Those whose words occur in the text: `<unk>` may not."""
    first_never: int | None
    """The smallest id of such a row."""
    most: int
    median: float
    correlation_dealt: Spread | None = None
    """The correlation after the counts were assigned to words at random."""


@dataclass(frozen=True)
class TrustFigures:
    """Figures of the newest layout of the map."""

    step: int
    trust: float | None
    recall: float | None
    sample: int
    """Words whose lists of nearest were compared; 0 if unknown."""


@dataclass(frozen=True)
class EnergyFigures:
    """The energy a run used, by step."""

    method: str
    """Name of the measuring method."""
    joules: Mapping[int, float]
    """Cumulative energy at each step, in joules."""
    since: int = 0
    """The step from which it is counted."""


@dataclass(frozen=True)
class ExchangeFigures:
    """The exchange of a step between the processes that train a run."""

    step: int
    processes: int
    counted: int
    """Bytes of all processes together."""
    expected: int
    """Those of the formulas."""
    equal: int
    """Number of the last `steps` steps in which every kind of exchange had the bytes that its formula gives."""
    steps: int


@dataclass(frozen=True)
class EarlierShare:
    """The share of a word's ten nearest that a matrix shares with itself some steps earlier."""

    table: Literal["input", "output"]
    steps: int
    share: float


@dataclass(frozen=True)
class CityFigures:
    """Figures that compare the input matrix with the output matrix."""

    step: int
    words: tuple[str, str]
    foretells: tuple[int, int]
    """Mutual ranks of the two words in the input matrix."""
    foretold: tuple[int, int]
    """Mutual ranks in the output matrix."""
    shared: Spread
    """Share of a word's ten nearest that both matrices share, with its standard error over the words."""
    earlier: tuple[EarlierShare, ...]
    """Share of the ten nearest that a matrix shares with itself a few hundred steps earlier."""
    follows: Spread | None
    """How much better nearness in the input matrix agrees with shared followers than with shared
    predecessors: a difference of two correlations, with its standard error over the words; None if the text
    is not here.
    """
    precedes: Spread | None
    """How much better nearness in the output matrix agrees with shared predecessors."""
    other_seed: Spread | None = None
    """Share of the ten nearest in the input matrix that are the same with another seed; None if there is no
    such run.
    """


@dataclass(frozen=True)
class StoredAnswer:
    """An answer that the examiner stored, or that came with an imported run."""

    answer: Answer
    id: str
    """The id of the examination."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The evidence about one run; None or empty where unknown."""

    step: int
    """The newest step."""
    examined_step: int
    """The step whose model is examined."""
    training: bool = False
    """True until the run has ended."""
    rows: int
    width: int
    parameters: int | None = None
    tied: bool = False
    optimiser: OptimiserKind = "lazy"
    batch_tokens: int = 0
    """Tokens in a batch; 0 if unknown."""
    recorded_elsewhere: bool = False
    """True for a run recorded from a client's training loop, whose model is not here."""
    sampled: bool = False
    """True if the loss of a training step is an estimate (a sampled softmax): some kinds of questions then have no answer."""
    classes: bool = False
    """True if classes are planted."""
    sums: bool = False
    """True for a run of sums on a clock, whose batches read every number and whose words have no meaning in a text."""
    word: str | None = None
    """An example word."""
    partner: str | None = None
    """A word related to it."""
    opposites: tuple[str, str] | None = None
    """Two words of opposite meaning."""
    sentences: tuple[str, str] | None = None
    """Two sentences that share a word."""
    measures: Measures = field(default_factory=dict[int, Mapping[str, float]])
    pulses: PulseFigures | None = None
    first: MatrixFigures | None = None
    """Figures of the first kept matrix."""
    newest: MatrixFigures | None = None
    row_lengths: Mapping[int, float] = field(default_factory=dict[int, float])
    """Median row length at chosen steps."""
    shifted: float | None = None
    """Root mean square distance of the rows from where they were at step 0; None if that matrix was not kept."""
    relations: Mapping[str, RelationFigures] = field(default_factory=dict[str, RelationFigures])
    """The accuracy of each planted relation on the newest kept matrix."""
    first_turn: float | None = None
    """Median angle, in degrees, by which step 1 turned the rows it moved."""
    chance_cosine: Spread | None = None
    """Mean cosine between a row and its nearest when all directions are random."""
    turned: TurnedFigures | None = None
    touches: TouchFigures | None = None
    trust: TrustFigures | None = None
    energy: EnergyFigures | None = None
    shared: ExchangeFigures | None = None
    """The exchange between the run's processes; None if one process trains it."""
    cities: CityFigures | None = None
    no_output_matrix: WaitCode | None = None
    """The code of why there is no output matrix to compare; None if unknown."""
    answers: Mapping[str, StoredAnswer] = field(default_factory=dict[str, StoredAnswer])
    """The newest answer to the board's own question, by kind."""
    control: Evidence | None = None
    """The evidence about the control: a run of the same recipe on shuffled words; None if there is none."""

    def answer(self, model: type[_Answer]) -> _Answer | None:
        answers = (stored.answer for stored in self.answers.values())
        return next((answer for answer in answers if isinstance(answer, model)), None)

    def answered_step(self, kind: str) -> int:
        """Return the step that the board's answer of a kind is about; without one, the step to ask about."""
        stored = self.answers.get(kind)
        return self.examined_step if stored is None else stored.answer.step

    def series(self, name: str) -> dict[int, float]:
        return {step: values[name] for step, values in sorted(self.measures.items()) if name in values}
