"""Answers from the model as it is, without training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lamplighter.contract.answers.parts import (
    AnswerBase,
    AnswerPart,
    LossChange,
    Maybe,
    MeanError,
    SaidWord,
    TextName,
    WordNumber,
)


class SpeakAnswer(AnswerBase):
    """A prompt, continued greedily and by sampling."""

    kind: Literal["speak"]
    prompt: list[int]
    """Token ids."""
    greedy: list[SaidWord]
    sampled: list[SaidWord]


class FirstWord(LossChange):
    """The first word said, with its probability before and after the change."""

    id: int


class PreviousMatrix(AnswerPart):
    """The baseline of a transplant: the previous step's matrix, which changes almost nothing."""

    step: int
    loss: Maybe
    error: Maybe
    """Standard error of the loss."""
    rise: MeanError


class TransplantAnswer(AnswerBase):
    """A model's words, and its loss in nats, before and after rows of its embedding are replaced."""

    kind: Literal["transplant"]
    prompt: list[int]
    into: int | None
    """The replaced row; null for the whole matrix."""
    source: int | None
    """The row that replaces it."""
    source_step: int
    before: list[SaidWord]
    after: list[SaidWord]
    instead: list[SaidWord] | None
    """What the unchanged model says when the source word replaces the target word in the prompt; null where
    that makes no sense."""
    first: Annotated[list[FirstWord], Field(min_length=2, max_length=2)]
    """The first words said before and after."""
    loss: LossChange
    loss_errors: LossChange
    """Standard errors of the losses."""
    rise: MeanError
    """Mean rise of the loss over the windows of text."""
    previous: PreviousMatrix | None
    """Null for a single row, or if that matrix was not kept."""
    chance: float
    """The loss of uniform guessing."""
    text: TextName
    rows: int
    """Number of rows that differ now."""
    distance: float
    """Mean distance that they moved."""


class RotationPurity(LossChange):
    """Purity of the planted classes before and after the rotation, and by chance."""

    chance: float


class RotatedWord(AnswerPart):
    """The first coordinates of a word's row, and its nearest words with their cosines."""

    numbers: list[float]
    neighbours: list[WordNumber]


class RotationExample(AnswerPart):
    """A word before and after the rotation."""

    id: int
    before: RotatedWord
    after: RotatedWord


class RotationAnswer(AnswerBase):
    """A random rotation of the embedding: how many coordinates it changes, and which neighbours it keeps."""

    kind: Literal["rotation"]
    coordinates: int
    """Number of coordinates in the embedding."""
    changed: float
    """Share of them whose bits changed."""
    lists: int
    """Number of rows whose ten nearest neighbours were compared."""
    kept: float
    """Share of them that keep the same ten."""
    cosine_error: Maybe
    """Largest change of a neighbour's cosine."""
    purity: RotationPurity | None
    """Null without planted classes, or with too many words."""
    example: RotationExample
    loss: LossChange
    """In nats, before the rotation and with only the embedding rotated."""
    text: TextName


class SharedWord(AnswerPart):
    """A word that two sentences share."""

    id: int
    positions: tuple[int, int]
    """Its position in each."""
    cosines: list[Maybe]
    """Cosine between its residual streams in the two sentences, before the first block and after each."""


class AttentionReading(AnswerPart):
    """The attention of a sentence at a step."""

    step: int
    attention: list[list[list[list[float]]]]
    """Attention weights by layer, head and position, over the positions up to it; each row sums to 1."""
    words: list[SharedWord]


class ProbeAnswer(AnswerBase):
    """The attention of a sentence, optionally at two steps, and the similarity of its words in
    another one.
    """

    kind: Literal["probe"]
    sentence: list[int]
    other_sentence: list[int] | None
    readings: list[AttentionReading]
    """One for each step."""
    change: list[list[Maybe]] | None
    """By layer and head, the share of attention that moved elsewhere at the other step; null without one."""


class HeadScores(AnswerPart):
    """The attention of a head on repeated random tokens, as means over positions."""

    previous: float
    """Attention to the token just before."""
    induction: float
    """In the repetition, attention to the token that followed this one the first time (prefix matching, Olsson et al. 2022,
    arXiv 2209.11895)."""
    first: float
    """Attention to the first token."""
    spread: float
    """Entropy of the attention as a share of that of uniform attention: 1 is uniform, 0 one token."""


class HeadsReading(AnswerPart):
    """The heads at a step."""

    step: int
    heads: list[list[HeadScores]]
    """By layer and head."""
    loss_first: Maybe
    """Mean loss on the tokens when they come first, in nats: no model can foresee them."""
    loss_again: Maybe
    """Mean loss on the same tokens when they are repeated: lower if the model copies."""
    in_context: Maybe
    """In-context score on held-out text, in nats: the mean loss at the last quarter of the positions minus that at the first
    quarter, below 0 if words further back help (Olsson et al. 2022, with positions that suit a short context). 0 by chance;
    null if too little text is held out."""
    in_context_error: Maybe
    """Its standard error over the windows of text."""


class HeadsAnswer(AnswerBase):
    """The attention of each head to repeated random tokens, at the states that were kept."""

    kind: Literal["heads"]
    readings: list[HeadsReading]
    """By step, ascending."""
    tokens: int
    """The random tokens of each sequence, which are then repeated."""
    sequences: int
    uniform: HeadScores
    """The scores of a head that attends to all earlier tokens alike."""


class BatchSize(AnswerPart):
    """A batch size, and the number of rows such a batch reads."""

    tokens: int
    rows: int
    """Distinct tokens in the batch."""
    share: float
    """Their share of all rows."""
    alone: float
    """The expected share if each token were drawn independently."""


class BatchSizesAnswer(AnswerBase):
    """The distinct rows in batches of several sizes."""

    kind: Literal["batch_sizes"]
    sizes: list[BatchSize]
    vocabulary: int
    """Number of rows in the embedding."""
    corpus_tokens: int
    """Length of the text in tokens; a longer batch reads passages more than once."""
    batch_tokens: int
    """Size of the run's own batches in tokens."""


class SubstitutionRise(AnswerPart):
    """The rise of a sentence's loss, in nats, when one word is replaced, over all sentences."""

    rise: Maybe
    """The mean."""
    error: Maybe
    """Its standard error."""
    median: Maybe
    at: Maybe
    """Mean rise at the prediction of the word."""
    after: Maybe
    """Mean rise over the predictions that follow."""


class RandomSubstitutionRise(SubstitutionRise):
    """The rise with random words of similar frequency, averaged over several draws."""

    by_draw: list[Maybe]
    spread: Maybe
    """Standard deviation of the draws."""


class SubstitutedWord(AnswerPart):
    """A replacement word, and the rise of the loss in nats."""

    id: int
    rise: Maybe


class SubstitutionExample(AnswerPart):
    """A sentence, and the words that replaced one of its own."""

    ids: list[int]
    position: int
    word: int
    """The original word."""
    near: SubstitutedWord
    tenth: SubstitutedWord
    chance: SubstitutedWord


class SubstitutionAnswer(AnswerBase):
    """How far the loss of held-out sentences rises when one word is replaced."""

    kind: Literal["substitution"]
    sentences: int
    draws: int
    """Random replacements per sentence."""
    positions: int
    """Predictions per sentence."""
    text: TextName
    loss: Maybe
    """Loss of the word and what follows in the unchanged sentence, in nats."""
    near: SubstitutionRise
    """With the nearest word in the input matrix."""
    tenth: SubstitutionRise
    """With the tenth nearest."""
    chance: RandomSubstitutionRise
    chance_less_near: MeanError
    tenth_less_near: MeanError
    share_near_better: Maybe
    """Share of sentences in which the nearest word costs less than the random ones."""
    example: SubstitutionExample
    """The sentence with the median difference."""
