"""Answers for which copies of a model are trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lamplighter.answers.parts import AnswerBase, AnswerPart, Maybe, Omitted, TextName, WordNumber


class RowCounts(AnswerPart):
    """The number of rows that were read, that have a gradient, and that moved."""

    lit: int
    gradient: int
    moved: int


class TaughtRows(AnswerPart):
    """The rows of one training step, those with the largest numbers; `counts` has all."""

    lit: list[int]
    gradient: list[WordNumber]
    """Ids with the norms of their gradients."""
    moved: list[WordNumber]
    """Ids with the distances that they moved."""
    counts: RowCounts


class TaughtState(AnswerPart):
    """The copy before the first step, or after one on the sentence, or then on the run's own text."""

    phase: Literal["before", "sentence", "town"]
    number: int
    """Steps in that phase."""
    loss: Maybe
    """The loss of the sentence, in nats."""
    text_loss: Maybe
    rows: Annotated[TaughtRows | None, Omitted] = None
    """In the phase `sentence` only."""


class WatchedContext(AnswerPart):
    """A context, and what the model says after it in each state."""

    ids: list[int]
    p: list[float]
    """Probability of the told word."""
    said: int
    """The word that was most probable before."""
    said_p: list[float]


class ChangedContext(WatchedContext):
    """A context that differs from the sentence's own in one word."""

    place: int
    """The position of that word."""
    id: int


class WhatIfCandidates(AnswerPart):
    """The most probable words after the sentence's context, with their probabilities."""

    before: list[WordNumber]
    sentence: list[WordNumber]
    """After the steps on the sentence."""
    town: list[WordNumber] | None
    """After those on the run's own text; null without them."""


class WhatIfAnswer(AnswerBase):
    """How a copy of a model changes while it is trained on a sentence, and then on the run's own text again."""

    kind: Literal["what_if"]
    sentence: list[int]
    told: int
    """Position of the word that the answer tells of: the one in whose place the model was surest of another."""
    learning_rate: float
    text: TextName
    states: list[TaughtState]
    own: WatchedContext
    also_changed: list[ChangedContext]
    """The contexts of the same form in which the told word rose most, the most risen first."""
    watched: int
    """Contexts that were looked at."""
    candidates: WhatIfCandidates
    parameters_moved: float
    """The share of all numbers of the model that the steps on the sentence changed."""


class SentBytes(AnswerPart):
    """Bytes that a process hands in."""

    dense_bytes: int
    """Where every gradient is sent whole."""
    lazy_bytes: int | None
    """Where of the embedding only rows are sent; null where every row has a gradient."""


class ExchangeSeconds(AnswerPart):
    """Seconds of the exchange, by way."""

    dense: float
    lazy: Annotated[float | None, Omitted] = None
    """Missing where every row has a gradient."""


class MeasuredExchange(SentBytes):
    """Measurements of two processes."""

    difference: Maybe
    """Largest difference of a gradient from that of one process alone."""
    largest: Maybe
    """The largest gradient."""
    seconds: float
    """The time of the slower process for its part of the step."""
    exchange_seconds: ExchangeSeconds


class DevicesAnswer(AnswerBase):
    """One training step, shared by two processes of one machine."""

    kind: Literal["devices"]
    processes: int
    sequences: list[int]
    """Sequences of each process."""
    rows: list[int]
    """Rows of the embedding that each has read."""
    rows_together: int
    parameters: int
    formula: SentBytes
    measured: MeasuredExchange


class RowSets(AnswerPart):
    """Sets of rows as bitmaps in base64: row r is bit r % 8, counted from the least, of byte r // 8."""

    batch: str
    gradient: str
    moved: str
    distances: list[Maybe] | None
    """That the rows moved; null where there are too many rows."""


class UpdateCost(AnswerPart):
    """The cost of an update, by formula."""

    touched: int
    """Cost of updating the rows with a gradient."""
    whole: int
    """Cost of updating all rows."""


class RuleReading(AnswerPart):
    """A training under one rule of updating: what its last step did, and what that took."""

    name: Literal["lazy", "adam", "decay", "tied"]
    """`lazy`: SparseAdam, `adam`: Adam, `decay`: AdamW, `tied`: Adam on a matrix that is the output matrix, too."""
    batch_rows: int
    gradient_rows: int
    moved_rows: int
    sets: RowSets
    bytes: UpdateCost
    flops: UpdateCost
    updates: Literal["touched", "whole"]
    """Which of both costs this rule has."""
    update_ms: float
    """Median processor time of the embedding's update."""
    step_ms: float
    """Median processor time of the whole step."""
    update_ms_quartiles: list[float]
    """The first and the third."""
    step_ms_quartiles: list[float]
    losses: list[Maybe]
    """In nats, by step."""
    counts: list[tuple[int, int, int]]
    """Rows in the batch, with a gradient, and moved, by step."""


class LargeEmbedding(AnswerPart):
    """Updates of an embedding of the size of a large model's, without a model around it."""

    rows: int
    width: int
    touched: int
    """Rows that the lazy update writes."""
    touched_ms: float
    """Median processor time."""
    whole_ms: float
    touched_ms_quartiles: list[float]
    whole_ms_quartiles: list[float]
    touched_flops: int
    whole_flops: int
    softmax_flops: int
    """Operations of unembedding and softmax of one batch, forward and backward."""
    batch_tokens: int


class BenchAnswer(AnswerBase):
    """Four rules of updating the embedding, on the same batches."""

    kind: Literal["bench"]
    recipes: list[RuleReading]
    steps: int
    rows: int
    width: int
    weight_decay: float
    large: LargeEmbedding | None
    """Null where it does not fit into memory."""
    large_reason: str | None


class HomePoint(AnswerPart):
    """A copy of the model after some steps, on its own text."""

    step: int
    loss_first: Maybe
    """On the own text, in nats."""
    purity_in_first: Maybe
    """Purity of the classes of the own text in the input matrix; null without classes."""
    purity_out_first: Maybe
    """The same in the output matrix."""


class EnvironmentPoint(HomePoint):
    """A copy of the model after some steps on the other text, or back on its own."""

    loss_other: Maybe
    """On the other text, in nats."""
    purity_in_other: Maybe
    purity_out_other: Maybe


class HomeChange(AnswerPart):
    """The change of a number since step 0 at the points after it."""

    mean: Maybe
    spread: Maybe
    """Standard deviation."""


class EnvironmentHome(AnswerPart):
    """A second copy that goes on with its own text, for comparison."""

    curve: list[HomePoint]
    loss: HomeChange | None
    """Null where a number is missing."""
    purity_in: HomeChange | None
    purity_out: HomeChange | None


class EnvironmentAnswer(AnswerBase):
    """How a copy of a model forgets one text and learns another, in which every word has another's job."""

    kind: Literal["environment"]
    curve: list[EnvironmentPoint]
    home: EnvironmentHome
    turned_back_at: int | None
    """The step after which the own text came back; null if it did not."""
    chance: Maybe
    """Purity of a random matrix."""
    permuted: int
    """Tokens with another's job."""
    words: int
    tied: bool
    """True if both matrices are one."""
    text: TextName
    learning_rate: float


class WordGroup(AnswerPart):
    """Words that are about as frequent: about a tenth of the text."""

    words: int
    least: int
    """How often the text has the rarest of them."""
    most: int
    share: float
    """These words' share of the text."""
    predictions: int
    """Predictions that were looked at."""
    loss: Maybe
    """The model's loss on them, in nats."""
    by_counts: Maybe
    """Loss of a model that knows only how frequent each word is."""


class TriedRate(AnswerPart):
    """A learning rate, and the loss in nats at its end."""

    learning_rate: float
    loss: Maybe


class GroupLosses(AnswerPart):
    """Losses in nats after some steps, by group of words."""

    step: int
    losses: list[Maybe]


class OptimiserReading(AnswerPart):
    """A training with an optimiser at the best learning rate of those tried."""

    name: Literal["sgd", "adam"]
    learning_rate: float
    tried: list[TriedRate]
    curve: list[GroupLosses]


class DecilesAnswer(AnswerBase):
    """The loss on frequent and on rare words: of the model as it is, and of two optimisers from the start."""

    kind: Literal["deciles"]
    groups: list[WordGroup]
    """The most frequent words first."""
    guessing: float
    """Loss of a model that knows nothing."""
    text: TextName
    steps: int
    optimisers: list[OptimiserReading]
    """Empty without steps."""


LossStep = Annotated[list[Maybe], Field(min_length=2, max_length=2)]
"""A loss in nats before and after a step."""


class BetterShares(AnswerPart):
    """The share of steps that made each text better; null where a loss is not finite."""

    same: Maybe
    other: Maybe
    unread: Maybe


class BetterPlace(AnswerPart):
    """Steps after one place of the training."""

    step: int
    steps: int
    learning_rate: float
    shares: BetterShares


class BetterAnswer(AnswerBase):
    """The losses before and after each of some steps, taken on copies of the model; places one after another."""

    kind: Literal["better"]
    same: list[LossStep]
    """On the batch that the step is taken on."""
    other: list[LossStep]
    """On a batch that the model never reads."""
    unread: list[LossStep] | None
    """On text that is held out; null where the run holds none."""
    shares: BetterShares
    right_guesses: list[Maybe]
    """For each step the share of the gradient that came from words guessed right."""
    places: list[BetterPlace]
    """The earliest first."""
    learning_rate: float
