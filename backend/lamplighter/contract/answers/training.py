"""Answers that train copies of a model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lamplighter.contract.answers.parts import AnswerBase, AnswerPart, Maybe, Omitted, TextName, WordNumber


class RowCounts(AnswerPart):
    """How many rows were read, have a gradient, and moved."""

    lit: int
    gradient: int
    moved: int


class TaughtRows(AnswerPart):
    """The rows of one training step with the largest values; `counts` covers all."""

    lit: list[int]
    gradient: list[WordNumber]
    """Ids with the norms of their gradients."""
    moved: list[WordNumber]
    """Ids with the distances they moved."""
    counts: RowCounts


class TaughtState(AnswerPart):
    """The state of the copy: before the first step, after a step on the sentence, or on the run's
    own text.
    """

    phase: Literal["before", "sentence", "town"]
    number: int
    """Number of steps in that phase."""
    loss: Maybe
    """The loss of the sentence, in nats."""
    text_loss: Maybe
    rows: Annotated[TaughtRows | None, Omitted] = None
    """Only in the phase `sentence`."""


class WatchedContext(AnswerPart):
    """A context, and the model's prediction after it in each state."""

    ids: list[int]
    p: list[float]
    """Probability of the told word."""
    said: int
    """The most probable word before the training."""
    said_p: list[float]


class ChangedContext(WatchedContext):
    """A context that differs from the sentence's own by one word."""

    place: int
    """The position of that word."""
    id: int


class WhatIfCandidates(AnswerPart):
    """The most probable words after the sentence's context, with their probabilities."""

    before: list[WordNumber]
    sentence: list[WordNumber]
    """After the steps on the sentence."""
    town: list[WordNumber] | None
    """After the steps on the run's own text; null without any."""


class WhatIfAnswer(AnswerBase):
    """How a copy of a model changes trained on a sentence, and then on the run's own text again."""

    kind: Literal["what_if"]
    sentence: list[int]
    told: int
    """Position of the told word: the one in whose place the model was most certain of another."""
    learning_rate: float
    text: TextName
    states: list[TaughtState]
    own: WatchedContext
    also_changed: list[ChangedContext]
    """The contexts of the same form in which the told word gained most, in descending order."""
    watched: int
    """Number of contexts watched."""
    candidates: WhatIfCandidates
    parameters_moved: float
    """Share of all parameters that the steps on the sentence changed."""


class SentBytes(AnswerPart):
    """Bytes that a process sends."""

    dense_bytes: int
    """When every gradient is sent whole."""
    lazy_bytes: int | None
    """When only the read rows of the embedding are sent; null if every row has a gradient."""


class ExchangeSeconds(AnswerPart):
    """Duration of the exchange in seconds, by method."""

    dense: float
    lazy: Annotated[float | None, Omitted] = None
    """Absent if every row has a gradient."""


class MeasuredExchange(SentBytes):
    """Measurements of two processes."""

    difference: Maybe
    """Largest difference of a gradient from that of a single process."""
    largest: Maybe
    """The largest gradient."""
    seconds: float
    """Seconds that the slower process took for its part of the step."""
    exchange_seconds: ExchangeSeconds


class DevicesAnswer(AnswerBase):
    """One training step, shared by two processes on one machine."""

    kind: Literal["devices"]
    processes: int
    sequences: list[int]
    """Sequences per process."""
    rows: list[int]
    """Embedding rows that each process read."""
    rows_together: int
    parameters: int
    formula: SentBytes
    measured: MeasuredExchange


class RowSets(AnswerPart):
    """Sets of rows as base64 bitmaps: row r is bit r % 8, from the least significant, of byte r // 8."""

    batch: str
    gradient: str
    moved: str
    distances: list[Maybe] | None
    """Distances the rows moved; null with too many rows."""


class UpdateCost(AnswerPart):
    """The cost of an update, by formula."""

    touched: int
    """Cost of updating the rows with a gradient."""
    whole: int
    """Cost of updating all rows."""


class RuleReading(AnswerPart):
    """Training under one update rule: what its last step did, and what that cost."""

    name: Literal["lazy", "adam", "decay", "tied"]
    """`lazy`: SparseAdam, `adam`: Adam, `decay`: AdamW, `tied`: Adam on a matrix that is also the output
    matrix."""
    batch_rows: int
    gradient_rows: int
    moved_rows: int
    sets: RowSets
    bytes: UpdateCost
    flops: UpdateCost
    updates: Literal["touched", "whole"]
    """Which of the two costs this rule has."""
    update_ms: float
    """Median CPU time of the embedding's update."""
    step_ms: float
    """Median CPU time of the whole step."""
    update_ms_quartiles: list[float]
    """First and third quartile."""
    step_ms_quartiles: list[float]
    losses: list[Maybe]
    """In nats, by step."""
    counts: list[tuple[int, int, int]]
    """Rows in the batch, with a gradient, and moved, by step."""


class LargeEmbedding(AnswerPart):
    """Updates of an embedding as large as that of a large model, without a model around it."""

    rows: int
    width: int
    touched: int
    """Rows that the lazy update writes."""
    touched_ms: float
    """Median CPU time."""
    whole_ms: float
    touched_ms_quartiles: list[float]
    whole_ms_quartiles: list[float]
    touched_flops: int
    whole_flops: int
    softmax_flops: int
    """Operations of unembedding and softmax for one batch, forward and backward."""
    batch_tokens: int


class BenchAnswer(AnswerBase):
    """Four update rules for the embedding, on the same batches."""

    kind: Literal["bench"]
    recipes: list[RuleReading]
    steps: int
    rows: int
    width: int
    weight_decay: float
    large: LargeEmbedding | None
    """Null if it does not fit into memory."""
    large_reason: str | None


class HomePoint(AnswerPart):
    """A copy of the model on its own text, after some steps."""

    step: int
    loss_first: Maybe
    """Loss on its own text, in nats."""
    purity_in_first: Maybe
    """Purity of the classes of its own text in the input matrix; null without classes."""
    purity_out_first: Maybe
    """Purity of the classes of its own text in the output matrix; null without classes."""


class EnvironmentPoint(HomePoint):
    """A copy of the model after some steps on the other text, or back on its own."""

    loss_other: Maybe
    """Loss on the other text, in nats."""
    purity_in_other: Maybe
    purity_out_other: Maybe


class HomeChange(AnswerPart):
    """The change of a value since step 0, at each later point."""

    mean: Maybe
    spread: Maybe
    """Standard deviation."""


class EnvironmentHome(AnswerPart):
    """A second copy that stays on its own text, for comparison."""

    curve: list[HomePoint]
    loss: HomeChange | None
    """Null if a value is missing."""
    purity_in: HomeChange | None
    purity_out: HomeChange | None


class EnvironmentAnswer(AnswerBase):
    """How a copy of a model forgets one text and learns another with permuted word roles."""

    kind: Literal["environment"]
    curve: list[EnvironmentPoint]
    home: EnvironmentHome
    turned_back_at: int | None
    """The step after which its own text came back; null if it did not."""
    chance: Maybe
    """Purity of a random matrix."""
    permuted: int
    """Number of tokens with the role of another."""
    words: int
    tied: bool
    """True if both matrices are the same."""
    text: TextName
    learning_rate: float


class WordGroup(AnswerPart):
    """Words of similar frequency: about a tenth of the text."""

    words: int
    least: int
    """Count of the rarest of them in the text."""
    most: int
    share: float
    """These words' share of the text."""
    predictions: int
    """Number of predictions measured."""
    loss: Maybe
    """The model's loss on them, in nats."""
    by_counts: Maybe
    """Loss of a model that knows only word frequencies."""


class TriedRate(AnswerPart):
    """A learning rate, and the final loss in nats."""

    learning_rate: float
    loss: Maybe


class GroupLosses(AnswerPart):
    """Losses in nats after some steps, by group of words."""

    step: int
    losses: list[Maybe]


class OptimiserReading(AnswerPart):
    """Training with one optimiser, at the best learning rate tried."""

    name: Literal["sgd", "adam"]
    learning_rate: float
    tried: list[TriedRate]
    curve: list[GroupLosses]


class DecilesAnswer(AnswerBase):
    """The loss on frequent and rare words, of the model as it is and of two optimisers from the start."""

    kind: Literal["deciles"]
    groups: list[WordGroup]
    """The most frequent words first."""
    guessing: float
    """Loss of a uniform guess."""
    text: TextName
    steps: int
    optimisers: list[OptimiserReading]
    """Empty without steps."""


LossStep = Annotated[list[Maybe], Field(min_length=2, max_length=2)]
"""A loss in nats before and after a step."""


class BetterShares(AnswerPart):
    """The share of steps that improved each text; null if a loss is not finite."""

    same: Maybe
    other: Maybe
    unread: Maybe


class BetterPlace(AnswerPart):
    """The steps after one point of the training."""

    step: int
    steps: int
    learning_rate: float
    shares: BetterShares


class BetterAnswer(AnswerBase):
    """The losses before and after each of some steps, taken on copies of the model, point by point."""

    kind: Literal["better"]
    same: list[LossStep]
    """On the step's own batch."""
    other: list[LossStep]
    """On a batch that the model never reads."""
    unread: list[LossStep] | None
    """On held-out text; null if the run holds none out."""
    shares: BetterShares
    right_guesses: list[Maybe]
    """For each step, the share of the gradient from correctly predicted words."""
    places: list[BetterPlace]
    """The earliest first."""
    learning_rate: float
