"""The difference between two runs as it is told: over REST, and as JSON by the command line (docs/differences.md)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lamplighter.contract.answers.parts import Maybe
from lamplighter.contract.documented_model import DocumentedModel
from lamplighter.differences.matched_steps import MovedReason, RelationKind
from lamplighter.differences.record import FirstDifference
from lamplighter.runfolder.tables.lines import SpokenLine


class SharedClock(DocumentedModel):
    """How two runs are related, and the clock that they share."""

    kind: RelationKind
    """`fork`: the run comes from the other; `parent`: the other comes from it; `siblings`: both come from one run;
    `none`; `same`: both are one run."""
    ancestor: str | None
    """The id of the run whose steps both count from; null for `none`."""
    offset: int | None
    """The step of the other minus that of the run at any point of the clock; null if `other_step` was asked for."""
    first: int | None
    """The first step of the run that both have kept; null if `other_step` was asked for."""
    last: int | None
    shared: int | None
    """The last step of the run that is in the history of both; null if there is none."""


class RunLosses(DocumentedModel):
    """A loss of either run in nats; null where it is unknown."""

    run: Maybe
    other: Maybe
    difference: Maybe
    """`other` minus `run`."""
    error: Maybe = None
    """Standard error of `difference`: how far the choice of batches alone moves it. The deviation of the recent
    differences, taken batch by batch, divided by the root of the number of batches. Null for fewer than 4 of them, and for
    held-out text, which is the same for both."""


class HeldOutPair(RunLosses):
    """Losses on the text held out, at the newest step at or before with one of both."""

    step: int
    other_step: int


class RecentPair(RunLosses):
    """Mean losses over equally many batches up to the step."""

    batches: int
    """Up to 16, and no more than either run has done."""


class LossDifference(DocumentedModel):
    """The losses of both runs."""

    batch: RunLosses
    """The losses on the batch of the step."""
    recent: RecentPair
    held_out: HeldOutPair | None


class OrderGained(DocumentedModel):
    """The order that a matrix has gained by its planted classes."""

    purity: Maybe
    """Macro-averaged 10-NN purity."""
    purity_chance: Maybe
    information: Maybe
    """Bits that a word's ten nearest give about its class."""
    information_chance: Maybe
    information_most: Maybe


class OrderDifference(DocumentedModel):
    """The order of both; null without planted classes, or above 6,000 words with one."""

    run: OrderGained | None
    other: OrderGained | None


class WordCounts(DocumentedModel):
    """How many words are compared."""

    shared: int
    """Words of both, by their text."""
    run: int
    other: int
    equal: int
    """Words whose rows are equal in every bit."""
    asked: int
    """Words whose neighbours were found, exactly: all, or some spread evenly."""
    fitted: int
    """The most frequent words, on which the rotation was fitted."""
    fitted_least: int | None
    """Occurrences of the rarest of these, in that of the two texts where it is rarer; null if unknown."""
    neighbours: int
    """Nearest words that are compared, by cosine, among the shared ones."""


class DifferenceSpread(DocumentedModel):
    """Quantiles over the words; null where nothing could be measured."""

    at: list[float]
    raw: list[float] | None
    """Distances as the matrices are; null if the widths differ."""
    aligned: list[float] | None
    """Distances after the other has been rotated onto the run; null above a width of 1,024, too."""
    kept: list[float] | None
    """Neighbours kept."""
    kept_mean: Maybe
    length: Maybe
    """Median length of a row, to judge distances by."""
    other_length: Maybe


class DifferenceNull(DocumentedModel):
    """The same measures with shuffled rows, or between two steps of the run itself."""

    kind: Literal["earlier", "chance"]
    """`earlier`: the run and itself at an earlier step; `chance`: the rows of the other, dealt to other words."""
    step: int | None
    """The earlier step; null for chance."""
    words: int
    """The words whose distances were measured; of an earlier matrix the neighbours of about 200 of them."""
    raw: Maybe
    """Median distance."""
    aligned: Maybe
    kept: Maybe
    """Mean number of neighbours kept."""


class NearWord(DocumentedModel):
    """A word of the run."""

    token_id: int
    token: str
    class_: str | None = Field(serialization_alias="class")


class ChangedWord(NearWord):
    """A word, and how far it is from itself in the other run."""

    other_token_id: int
    count: int | None
    """Occurrences in the text; null if unknown."""
    raw: Maybe
    aligned: Maybe
    length: Maybe
    other_length: Maybe
    kept: int | None
    """Neighbours kept; null, like the next two, if they were not found."""
    gained: list[NearWord] | None
    """The words that are near it in the other run alone, nearest first."""
    lost: list[NearWord] | None
    """The words that are near it in the run alone, nearest first."""


class SaidLines(DocumentedModel):
    """The lines that a model said after a step."""

    step: int
    attempt: int
    lines: list[SpokenLine]


class SaidDifference(DocumentedModel):
    """The lines of the newest step, at or before the compared one, for which both runs have lines.

    Null if there is none, or if the caller may not see the text.
    """

    run: SaidLines | None
    other: SaidLines | None


class DifferenceAnswer(DocumentedModel):
    """The difference between a run and another."""

    run: str
    other: str
    asked: int | None
    """The step that was asked for; null for the newest that both have."""
    step: int
    attempt: int
    other_step: int
    other_attempt: int
    exact: bool
    """True if both steps are the ones asked for."""
    moved: MovedReason | None
    """Why they are not: the run ends before, the other does, it is before the first that both have, or a matrix was not
    kept. `other_held`: the other has no step after the two part, so the later steps of the run are compared with its last
    state; `run_held`: the same the other way about."""
    relation: SharedClock
    first_difference: FirstDifference | None
    """The first step whose records differ; null for runs that do not come from one run."""
    losses: LossDifference
    order: OrderDifference
    words: WordCounts
    spread: DifferenceSpread
    nulls: list[DifferenceNull]
    items: list[ChangedWord]
    """The words that changed most."""
    said: SaidDifference
