"""Answers that a model gives as it is, without being trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lamplighter.answers.parts import (
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
    """A prompt, continued greedily and by chance."""

    kind: Literal["speak"]
    prompt: list[int]
    """Token ids."""
    greedy: list[SaidWord]
    sampled: list[SaidWord]


class FirstWord(LossChange):
    """A word with its probability as the first one said, before and after the change."""

    id: int


class PreviousMatrix(AnswerPart):
    """The matrix of the step just before the model's, put into it: what a transplant costs where next to nothing changed."""

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
    """The row that was replaced; null for the whole matrix."""
    source: int | None
    """The row that was put there."""
    source_step: int
    before: list[SaidWord]
    after: list[SaidWord]
    instead: list[SaidWord] | None
    """Its words with its own rows, after a prompt with the source's word in place of the replaced one; null where that means
    nothing."""
    first: Annotated[list[FirstWord], Field(min_length=2, max_length=2)]
    """The first word said before, and the first said after."""
    loss: LossChange
    loss_errors: LossChange
    """Standard errors of the losses."""
    rise: MeanError
    """The rise of the loss, of the windows of text one by one."""
    previous: PreviousMatrix | None
    """Null for a single row, or where that matrix was not kept."""
    chance: float
    """The loss of guessing."""
    text: TextName
    rows: int
    """Rows that differ now."""
    distance: float
    """How far they were moved, on average."""


class RotationPurity(LossChange):
    """The purity of the planted classes before and after the rotation, and by chance."""

    chance: float


class RotatedWord(AnswerPart):
    """The first numbers of a word's row, and its nearest words with their cosines."""

    numbers: list[float]
    neighbours: list[WordNumber]


class RotationExample(AnswerPart):
    """A word before and after the rotation."""

    id: int
    before: RotatedWord
    after: RotatedWord


class RotationAnswer(AnswerBase):
    """The numbers that a random rotation of the embedding changes, and the neighbours that it leaves."""

    kind: Literal["rotation"]
    coordinates: int
    """Numbers of the embedding."""
    changed: float
    """The share of them with other bits."""
    lists: int
    """Rows whose ten nearest were compared."""
    kept: float
    """The share of them with the same ten."""
    cosine_error: Maybe
    """Largest difference of a neighbour's cosine."""
    purity: RotationPurity | None
    """Null without planted classes, or where there are too many words."""
    example: RotationExample
    loss: LossChange
    """In nats, before and when only the embedding is rotated."""
    text: TextName


class SharedWord(AnswerPart):
    """A word that two sentences have in common."""

    id: int
    positions: tuple[int, int]
    """Where it stands in each."""
    cosines: list[Maybe]
    """Cosine of its residual stream in both, before the first block and after each."""


class AttentionReading(AnswerPart):
    """The attention of a sentence at a step."""

    step: int
    attention: list[list[list[list[float]]]]
    """Shares by layer, head and position: of the positions up to it, which sum to 1."""
    words: list[SharedWord]


class ProbeAnswer(AnswerBase):
    """The attention of a sentence, at another step too, and how alike its words are in another sentence."""

    kind: Literal["probe"]
    sentence: list[int]
    other_sentence: list[int] | None
    readings: list[AttentionReading]
    """One for each step."""
    change: list[list[Maybe]] | None
    """By layer and head, the share of attention that goes elsewhere at the other step; null where there is none."""


class BatchSize(AnswerPart):
    """A batch of some size, and the rows that it reads."""

    tokens: int
    rows: int
    """Distinct tokens in it."""
    share: float
    """These rows' share of all."""
    alone: float
    """The share to be expected if every token were drawn by itself."""


class BatchSizesAnswer(AnswerBase):
    """The distinct rows in batches of several sizes."""

    kind: Literal["batch_sizes"]
    sizes: list[BatchSize]
    vocabulary: int
    """Rows of the embedding."""
    corpus_tokens: int
    """Length of the text; a batch that is longer reads passages more than once."""
    batch_tokens: int
    """Size of the run's own batches."""


class SubstitutionRise(AnswerPart):
    """The rise of a sentence's loss, in nats, with another word in the place of one: over all sentences."""

    rise: Maybe
    """The mean."""
    error: Maybe
    """Its standard error."""
    median: Maybe
    at: Maybe
    """The mean rise at the prediction of the word."""
    after: Maybe
    """The mean rise at those that follow it."""


class RandomSubstitutionRise(SubstitutionRise):
    """The rise with random words of about the same frequency, the mean of several draws."""

    by_draw: list[Maybe]
    spread: Maybe
    """Standard deviation of the draws."""


class SubstitutedWord(AnswerPart):
    """A word that was put in, and the rise of the loss in nats."""

    id: int
    rise: Maybe


class SubstitutionExample(AnswerPart):
    """A sentence, and the words that were put into it."""

    ids: list[int]
    position: int
    word: int
    """The word that stands there."""
    near: SubstitutedWord
    tenth: SubstitutedWord
    chance: SubstitutedWord


class SubstitutionAnswer(AnswerBase):
    """By how much the loss of held-out sentences rises when one word is replaced."""

    kind: Literal["substitution"]
    sentences: int
    draws: int
    """Random words for each sentence."""
    positions: int
    """Predictions of a sentence."""
    text: TextName
    loss: Maybe
    """Loss of the word and what follows in the unchanged sentence, in nats."""
    near: SubstitutionRise
    """By the nearest word in the input table."""
    tenth: SubstitutionRise
    """By the tenth nearest."""
    chance: RandomSubstitutionRise
    chance_less_near: MeanError
    tenth_less_near: MeanError
    share_near_better: Maybe
    """The share of sentences in which the nearest word costs less than the random ones."""
    example: SubstitutionExample
    """The sentence whose difference is the median."""
