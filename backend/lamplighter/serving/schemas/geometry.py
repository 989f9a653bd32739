"""Schemas of the geometry lab: the geometry of words in the embedding at a step, each beside its chance level."""

from __future__ import annotations

from pydantic import Field

from lamplighter.serving.schemas.base import ApiModel
from lamplighter.serving.schemas.vectors import Neighbour


class Word(ApiModel):
    """A token in a request."""

    token_id: int
    token: str
    class_: str | None = Field(serialization_alias="class")


class AtStep(ApiModel):
    """An answer about the embedding after one step."""

    attempt: int
    step: int
    """The step of the answer: the newest exactly kept one at or before the requested step."""
    exact: bool
    """True if `step` is the requested one."""


class Analogy(AtStep):
    """The words nearest to a - b + c."""

    a: Word
    b: Word
    c: Word
    with_rule: list[Neighbour]
    """The nearest words other than the three given, as analogies are usually scored."""
    without_rule: list[Neighbour]
    """The nearest words, including the three given."""
    nearest_of_c: list[Neighbour]
    """The words nearest to c alone, excluding the other two: the baseline without an analogy."""
    chance: float | None
    """The share of right answers by guessing."""


class RelationScore(ApiModel):
    """One planted relation: the share of its analogies that the embedding answers, and how parallel its pairs are."""

    name: str
    pairs: int
    questions: int
    """Number of questions: every pair against every other, at most a thousand."""
    score: float | None
    """Share answered correctly, excluding the three given words; null without questions."""
    chance: float | None
    """Share when guessing among all words."""
    right_class: float | None
    """Share when guessing among the words of the right answer's class; null without a class."""
    nearest_of_c: float | None
    """Share when naming the word nearest to c, without an analogy."""
    without_rule: float | None
    """Share answered correctly without excluding the three given words."""
    consistency: float | None
    """Mean cosine between the offsets of every two pairs: 1 if all are parallel."""
    consistency_chance: float | None
    """Its mean for random pairs of the same classes; null if a word has no class."""
    consistency_deviation: float | None
    """Its standard deviation for random pairs."""


class Relations(AtStep):
    """Every planted relation at a step."""

    items: list[RelationScore]


class AxisPositions(AtStep):
    """The positions of all words along the direction from some words to others."""

    from_: list[Word] = Field(serialization_alias="from")
    to: list[Word]
    length: float | None
    """Distance between the means of the two ends; 0 without a direction, if they coincide."""
    positions: list[float | None] | None
    """Position of each token, by id: minus half the length at the mean of `from`, plus half of it at that of `to`. Null
    without a direction."""
    spread: float | None
    """Standard deviation of the positions."""
    spread_chance: float | None
    """Standard deviation of positions along a random direction."""


class PairRank(ApiModel):
    """Two words and their ranks among each other's nearest words, 1 for the nearest."""

    a: Word
    b: Word
    cosine: float | None
    rank_of_b: int
    """Rank of b among the words nearest to a."""
    rank_of_a: int
    """Rank of a among the words nearest to b."""
    class_rank: float | None
    """Expected rank of a random word of their class if the class were perfectly separated; null for two classes."""


class PairRanks(AtStep):
    """The ranks of some pairs at a step."""

    items: list[PairRank]
    chance: float
    """Expected rank of a random word: half of all."""


class PairRankSeries(ApiModel):
    """The ranks of one pair at each of the steps."""

    a: Word
    b: Word
    rank_of_b: list[int]
    rank_of_a: list[int]


class PairRankCurves(ApiModel):
    """The ranks of some pairs along the run."""

    attempt: int
    steps: list[int]
    """The steps of scheduled keyframes, and the newest, if their matrices are kept; at most 64, evenly spread."""
    items: list[PairRankSeries]
    chance: float
    """Expected rank of a random word: half of all."""


class Lengths(AtStep):
    """The length of every row beside its token's count in the text."""

    lengths: list[float | None]
    """By token id."""
    counts: list[int] | None
    """By token id; null if unknown."""
    spearman: float | None
    """Rank correlation of the two, from -1 to 1."""
    chance_deviation: float | None
    """Its standard deviation for independent quantities, with mean 0."""


class TouchCounts(AtStep):
    """The number of batches that have read each row, beside its token's count in the text."""

    touches: list[int] | None
    """By token id; null if the batches were not recorded."""
    counts: list[int] | None
    """By token id; null if unknown."""
    spearman: float | None
    """Rank correlation of the two, from -1 to 1."""
    chance_deviation: float | None
    """Its standard deviation for independent quantities, with mean 0."""
    never_lit: list[int] | None
    """Ids of the tokens that no batch has read yet; null if the batches were not recorded."""


class NearestByChance(AtStep):
    """The mean cosine of a row with its nearest neighbour, as measured and for as many random directions."""

    nearest_cosine: float | None
    nearest_cosine_chance: float | None
    random_pair_deviation: float
    """Standard deviation of the cosine of two random directions; its mean is 0."""
    rows: int
    """Number of rows whose nearest neighbour was computed, among all rows."""


class MeetingGroup(ApiModel):
    """The pairs of a relation whose words cooccur about equally often in the text."""

    least: int
    """Smallest number of cooccurrences of a pair in the group."""
    most: int
    pairs: int
    questions: int
    """Number of questions whose answer is the second word of one of these pairs."""
    score: float | None
    """Share answered correctly; null without questions."""


class RelationMeetings(ApiModel):
    """One relation: the score of its pairs beside how often the two words of a pair cooccur."""

    name: str
    groups: list[MeetingGroup]
    """At most four groups with about equally many pairs, from rare to frequent cooccurrence."""
    spearman: float | None
    """Rank correlation, over the pairs, of the score with the cooccurrences."""
    chance_deviation: float | None
    """Its standard deviation for independent quantities, with mean 0."""


class Cooccurrence(AtStep):
    """The analogies of every relation beside the text they were learned from."""

    window: int
    """Maximum number of tokens between cooccurring words."""
    tokens: int | None
    """Number of tokens read from the text: all, or its beginning. Null if the text is not kept."""
    items: list[RelationMeetings] | None
    """Null if the text is not kept."""


class OddOneOutRound(ApiModel):
    """Four words: three close together, and one far from all three."""

    words: list[Word]
    odd: int
    """The index of the odd one in `words`."""
    cosine: list[list[float]]
    """The cosines of all pairs, in the order of `words`."""


class OddOneOut(AtStep):
    """Rounds of the game *Odd one out*, decided by the rows of a step."""

    seed: int
    chance: float
    """The share of rounds won by guessing."""
    rounds: list[OddOneOutRound]
    """Fewer than requested if the run has too few words, and none without readable words."""


class FourierChance(ApiModel):
    """What rows of the same lengths in random directions give, on average over 100 draws."""

    largest_share: float
    """The share of the strongest frequency."""
    largest_share_most: float
    """The share that it does not exceed in 97.5 of 100 draws."""
    plane_share: float
    """The share of the variance in the plane of the strongest frequency."""


class FrequencyPlane(ApiModel):
    """The plane of one frequency, and where the numbers lie in it."""

    frequency: int
    share: float
    """The share of the frequency in the variance of the rows."""
    variance: float
    """The share of the variance in this plane, of any frequency."""
    coordinates: list[tuple[float, float]]
    """The places of the numbers in their order, around their middle; 0 lies to the right."""


class Fourier(AtStep):
    """The frequencies of the rows of the numbers of a clock."""

    shares: list[float]
    """The share of frequency 1, 2, ... in the variance of the rows; they sum to 1. Empty for a run without a clock."""
    chance: FourierChance | None
    planes: list[FrequencyPlane]


class StayedRow(Word):
    """A row that still points where it began."""

    turned: float
    """Degrees from its direction at the first step."""
    scale: float | None
    """Its length, in multiples of the first step's; null for a row of zeros."""


class StayedRows(AtStep):
    """The rows that training has not turned since the first kept step by more than rounding does."""

    from_: int = Field(serialization_alias="from")
    """The first kept step."""
    training_steps: int
    """Training steps from there."""
    rows: int
    """Number of all rows."""
    stayed: int
    """Number of those that stayed."""
    limit: float | None
    """Degrees by which rounding turns a row at most, for the row with the largest; null if none is finite."""
    nearest_other: float | None
    """Degrees by which the other row that turned least has turned; null if all stayed."""
    median_other: float | None
    """Median degrees by which the other rows have turned."""
    scale: float | None
    """Median length of those that stayed, in multiples of the first step's: below 1 by weight decay."""
    items: list[StayedRow]
    """By token id."""
