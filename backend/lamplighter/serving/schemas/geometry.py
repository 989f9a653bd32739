"""Schemas of the geometry lab: what the rows of the embedding say of words at a step, each beside what chance says."""

from __future__ import annotations

from pydantic import Field

from lamplighter.serving.schemas.base import ApiModel
from lamplighter.serving.schemas.tokens import Neighbour


class Word(ApiModel):
    """A token that was asked about."""

    token_id: int
    token: str
    class_: str | None = Field(serialization_alias="class")


class AtStep(ApiModel):
    """An answer about the embedding after one step."""

    attempt: int
    step: int
    """The step that the answer is about: the newest exactly kept one at or before the step asked for."""
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
    """The nearest words, the three given among them."""
    nearest_of_c: list[Neighbour]
    """The words nearest to c alone, the other two given left out: what is named without any analogy."""
    chance: float | None
    """The share that guessing would name rightly."""


class RelationScore(ApiModel):
    """One planted relation: how many of its analogies the embedding answers, and whether its pairs point one way."""

    name: str
    pairs: int
    questions: int
    """Questions asked: every pair against every other, at most a thousand of them."""
    score: float | None
    """Share of them answered rightly, the three given words excluded; null where there are none."""
    chance: float | None
    """Share when guessing among all words."""
    right_class: float | None
    """Share when guessing among the words of the right answer's class; null where it has none."""
    nearest_of_c: float | None
    """Share when naming the word nearest to c, without any analogy."""
    without_rule: float | None
    """Share answered rightly where the three given words may be named too."""
    consistency: float | None
    """Mean cosine between the offsets of every two pairs: 1 if all point the same way."""
    consistency_chance: float | None
    """Its mean for random pairs of the same classes; null where a word has none."""
    consistency_deviation: float | None
    """Its standard deviation for them."""


class Relations(AtStep):
    """Every planted relation at a step."""

    items: list[RelationScore]


class AxisPositions(AtStep):
    """The positions of all words along the direction from some words to others."""

    from_: list[Word] = Field(serialization_alias="from")
    to: list[Word]
    length: float | None
    """Distance between the means of the two ends; 0 if they coincide, and then there is no direction."""
    positions: list[float | None] | None
    """Position of each token, by id: minus half the length at the mean of `from`, plus half of it at that of `to`. Null
    without a direction."""
    spread: float | None
    """Standard deviation of the positions."""
    spread_chance: float | None
    """Standard deviation of positions along a random direction."""


class PairRank(ApiModel):
    """Two words and their ranks among one another's nearest, 1 for the nearest."""

    a: Word
    b: Word
    cosine: float | None
    rank_of_b: int
    """Rank of b among the words nearest to a."""
    rank_of_a: int
    """Rank of a among the words nearest to b."""
    class_rank: float | None
    """Rank of a random word of their class if the class lay all together and apart from the rest; null for two classes."""


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
    """The steps at which keyframes were due, and the newest, as far as their matrices are kept; of more than 64, evenly
    spread ones."""
    items: list[PairRankSeries]
    chance: float
    """Expected rank of a random word: half of all."""


class Lengths(AtStep):
    """The length of every row beside its token's count in the text."""

    lengths: list[float | None]
    """By token id."""
    counts: list[int] | None
    """By token id; null where they are not known."""
    spearman: float | None
    """Rank correlation of the two, from -1 to 1."""
    chance_deviation: float | None
    """Its standard deviation where the two have nothing to do with one another; its mean is then 0."""


class TouchCounts(AtStep):
    """How many batches have read every row, beside its token's count in the text."""

    touches: list[int] | None
    """By token id; null where nobody recorded the batches."""
    counts: list[int] | None
    """By token id; null where they are not known."""
    spearman: float | None
    """Rank correlation of the two, from -1 to 1."""
    chance_deviation: float | None
    """Its standard deviation where the two have nothing to do with one another; its mean is then 0."""
    never_lit: list[int] | None
    """Ids of the tokens that no batch has read yet; null where nobody recorded the batches."""


class NearestByChance(AtStep):
    """The mean cosine of a row with its nearest, as measured and of as many random directions."""

    nearest_cosine: float | None
    nearest_cosine_chance: float | None
    random_pair_deviation: float
    """Standard deviation of the cosine of two random directions; its mean is 0."""
    rows: int
    """Rows whose nearest was looked for, among all rows."""


class MeetingGroup(ApiModel):
    """The pairs of a relation whose words meet about as often in the text."""

    least: int
    """Fewest meetings of a pair of the group."""
    most: int
    pairs: int
    questions: int
    """Questions whose answer is the second word of one of these pairs."""
    score: float | None
    """Share of them answered rightly; null where there are none."""


class RelationMeetings(ApiModel):
    """One relation: the score of its pairs beside how often the two words of a pair meet."""

    name: str
    groups: list[MeetingGroup]
    """At most four, of about as many pairs each, from those that meet seldom to those that meet often."""
    spearman: float | None
    """Rank correlation, over the pairs, of the score with the meetings."""
    chance_deviation: float | None
    """Its standard deviation where the two have nothing to do with one another; its mean is then 0."""


class Cooccurrence(AtStep):
    """The analogies of every relation beside the text they were learned from."""

    window: int
    """Most tokens between two words that meet."""
    tokens: int | None
    """Tokens of the text that were read: all of it, or its beginning. Null where the text is not kept."""
    items: list[RelationMeetings] | None
    """Null where the text is not kept."""


class OddOneOutRound(ApiModel):
    """Four words: three that lie close together, and one that lies far from all three."""

    words: list[Word]
    odd: int
    """The place of the odd one in `words`, from 0."""
    cosine: list[list[float]]
    """The cosine of each with each, in the order of `words`."""


class OddOneOut(AtStep):
    """Rounds of the game *Odd one out*, which the rows of a step decide."""

    seed: int
    chance: float
    """The share of the rounds that guessing would get."""
    rounds: list[OddOneOutRound]
    """Fewer than asked for where the run has too few words, and none where it has none that can be read."""
