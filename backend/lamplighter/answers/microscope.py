"""The answer of the microscope: one training step, from its text to the update of one number."""

from __future__ import annotations

from typing import Literal

from lamplighter.answers.parts import AnswerBase, AnswerPart, LossPair, Maybe

RiverFlag = Literal["vanishing", "exploding"]


class MicroscopeLosses(AnswerPart):
    """Mean losses before and after the update."""

    same: LossPair
    """The batch of the step."""
    other: LossPair
    """A part of the next batch."""
    held_out: LossPair | None
    """As much unread text; null where the run holds none."""


class MicroscopeText(AnswerPart):
    """One sequence of the batch, word by word: at position i the model reads `ids` to i and predicts `next_ids[i]`."""

    sequence: int
    sequences: int
    """Sequences of the batch."""
    positions: int
    """Positions of a whole sequence; of a long one the lists have the first."""
    ids: list[int]
    next_ids: list[int]
    p_before: list[Maybe]
    """Probability of the true word at each position before the update."""
    p_after: list[Maybe]
    rank_before: list[int]
    """Its rank among all words, from 1."""
    rank_after: list[int]
    candidates: list[list[tuple[int, Maybe]]]
    """The likeliest words at each position before the update, with their probabilities."""
    share_risen: float
    """The share of the batch's positions whose true word became more probable."""
    losses: MicroscopeLosses


class ForwardOperation(AnswerPart):
    """An operation of the forward pass."""

    name: str
    layer: str
    inputs: list[list[int]]
    """The shapes of its inputs."""
    output: list[int]
    """The shape of its output."""
    is_product: bool
    """True for a product of matrices."""
    forward: int
    """Floating-point operations."""
    backward: int


class OperationTotals(AnswerPart):
    """Floating-point operations of the whole step."""

    forward: int
    backward: int
    update: int
    forward_products: int
    """Those in products of matrices."""
    backward_products: int


class MicroscopeOperations(AnswerPart):
    """The operations of the step: of the forward pass in their order, and in all."""

    forward: list[ForwardOperation]
    totals: OperationTotals


class LinearOutput(AnswerPart):
    """One output of one layer: y = w x + b. `w` and `x` are the shortest decimals of 32-bit numbers."""

    layer: str
    name: str
    sequence: int
    position: int
    output: int
    """The number of the output in its layer."""
    outputs: int
    w: list[Maybe]
    x: list[Maybe]
    b: Maybe
    sum: Maybe
    """The products and b, added up in 64 bits."""
    y: Maybe
    """The number that the model computed."""
    difference: Maybe
    """y less `sum`: rounding."""


class LayerGradient(AnswerPart):
    """The norm of a layer's gradient before clipping."""

    layer: str
    norm: Maybe
    flag: RiverFlag | None


class RiverRule(AnswerPart):
    """The rule by which a gradient is flagged."""

    vanishing_below_share: float
    """Below this share of the strongest layer's norm."""
    exploding_above_clip_norms: float
    """Above so many times the norm at which gradients are clipped."""


class MicroscopeRiver(AnswerPart):
    """The gradient's norm by layer, from the loss back to the embedding."""

    layers: list[LayerGradient]
    norm: Maybe
    """The norm of the whole gradient."""
    clip_norm: float
    clip_scale: Maybe
    """The factor by which all gradients were scaled, at most 1."""
    rule: RiverRule


class RowMovement(AnswerPart):
    """A row of the embedding as a vector, before and after the step. The lists have its first numbers."""

    numbers: int
    numbers_equal: int | None
    """Numbers that by formula equal the recorded ones; null where the row is not in the record."""
    largest_difference: Maybe
    before: list[Maybe]
    after: list[Maybe]
    gradient: list[Maybe] | None
    """Null where the row has no gradient."""
    length_before: Maybe
    length_after: Maybe
    distance: Maybe
    degrees: Maybe


class RowUpdate(AnswerPart):
    """The update of one number of the embedding: old - step_size m_after / denominator, or old - step_size gradient where the
    optimiser has no averages and these are null."""

    token: int
    coordinate: int
    occurrences: int
    """How often the batch reads the word."""
    optimiser: str
    updated: bool
    """False if the optimiser leaves the row alone."""
    old: Maybe
    gradient: Maybe
    m_before: Maybe
    v_before: Maybe
    m_after: Maybe
    v_after: Maybe
    updates: int | None
    beta1: Maybe
    beta2: Maybe
    epsilon: Maybe
    bias_correction1: Maybe
    bias_correction2: Maybe
    learning_rate: float
    step_size: float
    uncorrected_times: Maybe
    """How many times as long the change would be without bias correction."""
    denominator: Maybe
    change: Maybe
    new: Maybe
    """By the formula."""
    model_new: Maybe
    model_difference: Maybe
    """`new` less the value that the model has."""
    stored: Maybe
    """Null where the record keeps only a digest of the step."""
    difference: Maybe
    """`new` less the recorded value."""
    row: RowMovement


class RightGuesses(AnswerPart):
    """The positions of the batch that were guessed right before the update."""

    positions: int
    of: int
    gradient_share: Maybe
    """Their share of the gradient of the logits; null where there is no gradient."""


class RandomUpdates(AnswerPart):
    """The loss of a part of the batch after updates in random directions, each as long as the true one."""

    before: Maybe
    after: Maybe
    """After the true update."""
    losses: list[Maybe]
    """After each random one."""
    predictions: int
    cosine_spread: float
    """Standard deviation of the cosine of a random direction with any other."""


class Movement(AnswerPart):
    """How much of some parameters the update moved, and its angle to the gradient reversed."""

    parameters: int
    moved: int
    share: float
    length: Maybe
    """Euclidean length of the update."""
    cosine: Maybe
    """Null where nothing moved."""
    degrees: Maybe


class LayerMovement(Movement):
    """The movement of one layer."""

    layer: str


class WholeMovement(Movement):
    """The movement of the whole model."""

    rows_moved: int
    """Rows of the embedding that moved."""
    rows: int
    layers: list[LayerMovement]
    right_guesses: RightGuesses
    random: RandomUpdates


class RecordCheck(AnswerPart):
    """The step as it was computed here, beside the record."""

    digest: str
    recorded: str | None
    equal: bool | None
    """Null where there is no record."""
    largest_difference: Maybe
    """Greatest difference of the embedding from the recorded one; null where that step's matrix was not kept."""
    largest_update: Maybe
    """Greatest change of a number of the embedding in the step."""
    rows_compared: int


class MicroscopeAnswer(AnswerBase):
    """One training step, computed again on a copy of the model."""

    kind: Literal["microscope"]
    text: MicroscopeText
    operations: MicroscopeOperations
    linear: LinearOutput
    river: MicroscopeRiver
    row: RowUpdate
    whole: WholeMovement
    check: RecordCheck
