"""The answer of the microscope: one training step, from its text to the update of one number."""

from __future__ import annotations

from typing import Annotated, Literal

from lamplighter.contract.answers.parts import AnswerBase, AnswerPart, LossPair, Maybe, Omitted

RiverFlag = Literal["vanishing", "exploding"]


class MicroscopeLosses(AnswerPart):
    """Mean losses before and after the update."""

    same: LossPair
    """The batch of the step."""
    other: LossPair
    """Part of the next batch."""
    held_out: LossPair | None
    """As much held-out text; null if the run holds none out."""


class MicroscopeText(AnswerPart):
    """One sequence of the batch, token by token.

    At position i the model has read `ids` up to i and predicts `next_ids[i]`.
    """

    sequence: int
    sequences: int
    """Sequences of the batch."""
    positions: int
    """Number of positions in the sequence; for a long one the lists hold only the first."""
    ids: list[int]
    next_ids: list[int]
    p_before: list[Maybe]
    """Probability of the correct token at each position before the update."""
    p_after: list[Maybe]
    rank_before: list[int]
    """Its rank among all tokens, from 1."""
    rank_after: list[int]
    candidates: list[list[tuple[int, Maybe]]]
    """The most probable tokens at each position before the update, with their probabilities."""
    share_risen: float
    """Share of the batch's positions whose correct token became more probable."""
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
    """True for a matrix product."""
    forward: int
    """Floating-point operations."""
    backward: int


class OperationTotals(AnswerPart):
    """Floating-point operations of the whole step."""

    forward: int
    backward: int
    update: int
    forward_products: int
    """Those in matrix products."""
    backward_products: int


class MicroscopeOperations(AnswerPart):
    """The operations of the step: those of the forward pass in order, and the totals."""

    forward: list[ForwardOperation]
    totals: OperationTotals


class LinearOutput(AnswerPart):
    """One output of one layer: y = w x + b. `w` and `x` are the shortest decimals of 32-bit floats."""

    layer: str
    name: str
    sequence: int
    position: int
    output: int
    """Index of the output in its layer."""
    outputs: int
    w: list[Maybe]
    x: list[Maybe]
    b: Maybe
    sum: Maybe
    """The products and the bias, summed in 64 bits."""
    y: Maybe
    """The number that the model computed."""
    difference: Maybe
    """`y` minus `sum`: the rounding error."""


class LayerGradient(AnswerPart):
    """The norm of a layer's gradient before clipping."""

    layer: str
    norm: Maybe
    flag: RiverFlag | None


class RiverRule(AnswerPart):
    """The rule by which a gradient is flagged."""

    vanishing_below_share: float
    """Gradients below this share of the strongest layer's norm vanish."""
    exploding_above_clip_norms: float
    """Gradients above this multiple of the clipping norm explode."""


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
    """A row of the embedding as a vector, before and after the step. The lists hold its first coordinates."""

    numbers: int
    numbers_equal: int | None
    """Number of coordinates whose formula result equals the recorded one; null where the row is not recorded."""
    largest_difference: Maybe
    before: list[Maybe]
    after: list[Maybe]
    gradient: list[Maybe] | None
    """Null if the row has no gradient."""
    length_before: Maybe
    length_after: Maybe
    distance: Maybe
    degrees: Maybe


class RowUpdate(AnswerPart):
    """The update of one coordinate of the embedding: old - step_size m_after / denominator.

    For an optimiser without averages it is old - step_size gradient, and the fields of the averages are null. With weight
    decay, `shrunk` stands in place of old.
    """

    token: int
    coordinate: int
    occurrences: int
    """How often the token occurs in the batch."""
    optimiser: str
    updated: bool
    """False if the optimiser skips the row."""
    old: Maybe
    shrunk: Annotated[float | None, Omitted] = None
    """The old value after weight decay; absent without weight decay."""
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
    """Factor by which the update would be longer without bias correction."""
    denominator: Maybe
    change: Maybe
    new: Maybe
    """The new value by the formula."""
    model_new: Maybe
    model_difference: Maybe
    """`new` minus the model's value."""
    stored: Maybe
    """The recorded value; null if the record keeps only a digest of the step."""
    difference: Maybe
    """`new` minus the recorded value."""
    row: RowMovement


class RightGuesses(AnswerPart):
    """The positions of the batch that the model predicted correctly before the update."""

    positions: int
    of: int
    gradient_share: Maybe
    """Their share of the logits' gradient; null if there is no gradient."""


class RandomUpdates(AnswerPart):
    """The loss on part of the batch after updates in random directions, each as long as the real one."""

    before: Maybe
    after: Maybe
    """After the real update."""
    losses: list[Maybe]
    """After each random one."""
    predictions: int
    cosine_spread: float
    """Standard deviation of the cosine between a random direction and any other."""


class Movement(AnswerPart):
    """How far the update moved some parameters, and its angle to the negative gradient."""

    parameters: int
    moved: int
    share: float
    length: Maybe
    """Euclidean length of the update."""
    cosine: Maybe
    """Null if nothing moved."""
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
    """The recomputed step compared with the record."""

    digest: str
    recorded: str | None
    equal: bool | None
    """Null where there is no record."""
    largest_difference: Maybe
    """Largest difference between the recomputed and the recorded embedding; null if that step's matrix was
    not kept."""
    largest_update: Maybe
    """Largest change of a coordinate of the embedding in the step."""
    rows_compared: int


class MicroscopeAnswer(AnswerBase):
    """One training step, recomputed on a copy of the model."""

    kind: Literal["microscope"]
    text: MicroscopeText
    operations: MicroscopeOperations
    linear: LinearOutput
    river: MicroscopeRiver
    row: RowUpdate
    whole: WholeMovement
    check: RecordCheck
