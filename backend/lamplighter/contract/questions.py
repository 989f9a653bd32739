"""The questions about a run's model at a step, validated and in a canonical form.

A question contains everything that its answer depends on besides the run, so identical questions are answered
once. The examiner (`examination/`) answers them; REST, Python and the command line submit them.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, get_args

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import CoreSchema

from lamplighter.contract.reason import Reason
from lamplighter.contract.recipe import Recipe
from lamplighter.contract.strict_input import StrictInput, explain_validation_error

MAX_TEXT = 2_000
"""Maximum characters of a prompt or a sentence."""
MAX_STEP = 0xFFFF_FFFF

Step = Annotated[int, Field(ge=0, le=MAX_STEP)]
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Word = Annotated[str, Field(min_length=1, max_length=200)]
TokenId = Annotated[int, Field(ge=0, lt=200_000)]


BENCH_RULES = 4
"""Number of trainings of the kind `bench`."""
DECILE_RUNS = 6
"""Number of trainings of the kind `deciles`: three learning rates of two optimisers."""
BETTER_BATCHES = 3
"""Extra batches read per step of the kind `better`: its own afterwards, and another one before and after."""
ENVIRONMENT_POINTS = 25
"""Maximum points at which the kind `environment` reads the text of both towns."""
HOME_STEPS, HOME_POINTS = 100, 10
"""Maximum steps of the copy that stays at home, and the points at which it reads its text."""
SUBSTITUTES = 10
"""Replacements per word in the kind `substitution`: the nearest, the tenth nearest, and random words."""
MAX_POSITIONS = 64
"""Maximum predictions in a window that it reads: what follows much later says little about one word."""

WHOLE_SOFTMAX = frozenset({"microscope", "better", "bench", "deciles", "devices"})
"""The kinds that take a training step apart, and know its loss as that over the whole vocabulary."""

TOKENS_PER_WORD = 32
"""Tokens of text that the kind `acquisition` reads for each of its words."""


class Work(NamedTuple):
    """The computation that a question requires."""

    steps: int = 0
    """Training steps."""
    read: float = 0.0
    """Batches read, forward only."""


class QuestionError(ValueError):
    """Raised for an invalid question; the message says in one line what is wrong."""

    def __init__(self, message: str, reason: Reason | None = None) -> None:
        """Set the message, and the reason's code for errors that a person may see."""
        super().__init__(message)
        self.reason = reason


class _Question(StrictInput):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    step: Step
    """The step after which the model is examined; 0 is before the first."""
    confirmed: Annotated[bool, Field(exclude=True, repr=False)] = False
    """True to question an imported run, whose untrusted recipe decides the resources its model needs. Without
    it the server refuses with 409 and names them. Not stored with the question."""
    kept: Annotated[bool, Field(exclude=True, repr=False)] = False
    """True to move `step` back to the last one whose model is kept, so that nothing is recomputed. Not stored
    with the question."""
    background: Annotated[bool, Field(exclude=True, repr=False)] = False
    """True for a question that a program prepares: it waits for those of people, and gives way to them. Not
    stored with the question."""

    _examined: ClassVar[Literal["after", "before", "start"]] = "after"
    """The model needed: the one after the step, the one before it, or the initial one."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> dict[str, Any]:
        """Return the JSON schema, in which `kind` is required because it discriminates the union."""
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        found = handler.resolve_ref_schema(schema)
        found["properties"]["kind"].pop("default")
        found["required"].insert(1, "kind")
        return schema

    @property
    def model_step(self) -> int:
        """Return the step to which the model must be brought for the question."""
        return {"after": self.step, "before": self.step - 1, "start": 0}[self._examined]

    counted: ClassVar[str] = "steps"
    """The field that determines the amount of computation."""
    on_processor: ClassVar[bool] = False
    """True for a kind that is always computed on a CPU."""

    @property
    def last_step(self) -> int:
        """Return the last step whose model the answer depends on."""
        return self.step

    def work(self, recipe: Recipe, sample: float) -> Work:
        """Return the computation for the question; `sample`: batches in a sample of the run's text."""
        return Work()


class SpeakQuestion(_Question):
    """A prompt that the model continues, greedily and by sampling."""

    kind: Literal["speak"] = "speak"
    prompt: Text
    words: Annotated[int, Field(ge=1, le=64)] = 20
    """Tokens to generate."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of the sampled continuation."""
    temperature: Annotated[float, Field(ge=0.1, le=3)] = 1.0


class MicroscopeQuestion(_Question):
    """One training step, from its text to the update of one number."""

    kind: Literal["microscope"] = "microscope"
    step: Annotated[int, Field(ge=1, le=MAX_STEP)]
    """The step to recompute."""
    token: TokenId | None = None
    """The row of the embedding whose update is shown; None for the one in the sequence that moved farthest."""
    coordinate: Annotated[int, Field(ge=0, lt=16_384)] = 0
    """The coordinate in that row."""
    sequence: Annotated[int, Field(ge=0, lt=65_536)] = 0
    """The index of the sequence in the batch that is shown."""
    _examined = "before"


class WhatIfQuestion(_Question):
    """A sentence on which a copy of the model is trained, and the resulting changes."""

    kind: Literal["what_if"] = "what_if"
    sentence: Text
    steps: Annotated[int, Field(ge=1, le=20)] = 5
    """Training steps on the sentence."""
    after: Annotated[int, Field(ge=0, le=100)] = 0
    """Training steps on the run's own text after that."""


class TransplantQuestion(_Question):
    """A row, or a whole embedding, replaced by another, and the model's words afterwards."""

    kind: Literal["transplant"] = "transplant"
    into: Word | None = None
    """The word whose row is replaced; None for the whole matrix."""
    source: Word | None = None
    """The word whose row replaces it; None for the same word."""
    source_step: Step | None = None
    """The step of the replacement row or matrix; None for the same step."""
    prompt: Text
    words: Annotated[int, Field(ge=1, le=64)] = 12

    @property
    def last_step(self) -> int:
        """Return the last step whose model the answer depends on."""
        return max(self.step, self.source_step or 0)


class RotationQuestion(_Question):
    """A random rotation of the whole space of the embedding."""

    kind: Literal["rotation"] = "rotation"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


class ProbeQuestion(_Question):
    """A sentence's attention by layer and head, and its words in another sentence or at another step."""

    kind: Literal["probe"] = "probe"
    sentence: Text
    other_sentence: Text | None = None
    """A second sentence; shared words are compared layer by layer."""
    other_step: Step | None = None
    """A second step to read."""

    @property
    def last_step(self) -> int:
        """Return the last step whose model the answer depends on."""
        return max(self.step, self.other_step or 0)


class HeadsQuestion(_Question):
    """The attention of each head to repeated random tokens, at the states kept up to the step."""

    kind: Literal["heads"] = "heads"
    readings: Annotated[int, Field(ge=1, le=32)] = 18
    """Maximum number of states to read, the first and the last among them."""
    counted = "readings"

    def work(self, recipe: Recipe, sample: float) -> Work:
        """Return the readings as training steps; each is cheaper than one."""
        return Work(self.readings)


class AcquisitionQuestion(_Question):
    """The surprisal of each word that the text has often enough, at the states kept up to the step."""

    kind: Literal["acquisition"] = "acquisition"
    words: Annotated[int, Field(ge=1, le=2_000)] = 2_000
    """Maximum number of words, the most frequent ones."""
    readings: Annotated[int, Field(ge=6, le=32)] = 20
    """Maximum number of states to read, the first and the last among them."""
    counted = "readings"

    @property
    def text_tokens(self) -> int:
        """Return how much text is read: fewer words occur often enough in less of it."""
        return max(16_384, TOKENS_PER_WORD * self.words)

    def work(self, recipe: Recipe, sample: float) -> Work:
        """Return the text, read at each state."""
        return Work(read=self.readings * self.text_tokens / recipe.batch_tokens)


class DevicesQuestion(_Question):
    """One training step, shared by two processes of this machine like two devices."""

    kind: Literal["devices"] = "devices"
    step: Annotated[int, Field(ge=1, le=MAX_STEP)]
    """The step to recompute."""
    _examined = "before"


class BenchQuestion(_Question):
    """Four update rules for the embedding on the same batches: rows that are read, get a
    gradient, and move.
    """

    kind: Literal["bench"] = "bench"
    steps: Annotated[int, Field(ge=1, le=60)] = 40
    """Training steps of each rule, from the recipe's initial state, on the batches after `step`."""
    _examined = "start"
    on_processor = True

    def work(self, recipe: Recipe, sample: float) -> Work:
        return Work(BENCH_RULES * self.steps)


class BatchSizesQuestion(_Question):
    """Batches of the run's text, from small to large, and how many rows each reads."""

    kind: Literal["batch_sizes"] = "batch_sizes"
    _examined = "start"


class EnvironmentQuestion(_Question):
    """Training of a copy on a text in which every word has the role of another, and the way back."""

    kind: Literal["environment"] = "environment"
    steps: Annotated[int, Field(ge=10, le=2_000)] = 600
    """Training steps on the other text."""
    back: Annotated[int, Field(ge=0, le=500)] = 100
    """Training steps on the run's own text after that."""

    def work(self, recipe: Recipe, sample: float) -> Work:
        """Return the training on both texts and of the copy at home, with the readings of the curves."""
        steps = self.steps + self.back + min(self.steps, HOME_STEPS)
        return Work(steps, (2 * ENVIRONMENT_POINTS + HOME_POINTS) * sample)


class DecilesQuestion(_Question):
    """The loss on frequent and rare words, now and under two optimisers from the start."""

    kind: Literal["deciles"] = "deciles"
    steps: Annotated[int, Field(ge=0, le=200)] = 100
    """Training steps of each optimiser at each learning rate; 0 for none."""

    def work(self, recipe: Recipe, sample: float) -> Work:
        return Work(DECILE_RUNS * self.steps)


class BetterQuestion(_Question):
    """Steps at some points of the training, and whether they improve their batch, another, and
    unread text.
    """

    kind: Literal["better"] = "better"
    steps: Annotated[int, Field(ge=1, le=40)] = 40
    """Total number of steps."""
    places: Annotated[int, Field(ge=1, le=4)] = 4
    """Points of the training among which the steps are shared, the last at `step`; fewer if fewer states of
    the model were kept."""

    def work(self, recipe: Recipe, sample: float) -> Work:
        """Return the steps, and the texts read before and after each."""
        return Work(self.steps, (BETTER_BATCHES + sample) * self.steps + sample * self.places)


class SubstitutionQuestion(_Question):
    """Replacements of words in held-out sentences: the nearest, the tenth nearest, and random words."""

    kind: Literal["substitution"] = "substitution"
    words: Annotated[int, Field(ge=20, le=500)] = 200
    """Words in the sample, each replaced in one sentence; fewer if the text has fewer."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of the words, their sentences, and the random replacements."""
    counted = "words"

    def work(self, recipe: Recipe, sample: float) -> Work:
        """Return the sentences read, each with every replacement."""
        windows = (1 + SUBSTITUTES) * self.words
        return Work(read=windows * min(recipe.model.context, MAX_POSITIONS) / recipe.batch_tokens)


Question = (
    SpeakQuestion
    | MicroscopeQuestion
    | WhatIfQuestion
    | TransplantQuestion
    | RotationQuestion
    | ProbeQuestion
    | HeadsQuestion
    | AcquisitionQuestion
    | DevicesQuestion
    | BenchQuestion
    | BatchSizesQuestion
    | EnvironmentQuestion
    | DecilesQuestion
    | BetterQuestion
    | SubstitutionQuestion
)
KINDS: tuple[str, ...] = tuple(question.model_fields["kind"].default for question in get_args(Question))
"""The kinds of questions by name."""
_QUESTIONS: TypeAdapter[Question] = TypeAdapter(Annotated[Question, Field(discriminator="kind")])


def parse_question(fields: object) -> Question:
    """Parse a question from a JSON object.

    Raises:
        QuestionError: it is not valid; the message names the field.
    """
    try:
        return _QUESTIONS.validate_python(fields)
    except ValidationError as error:
        raise QuestionError(explain_validation_error(error)) from error


def canonical_question(question: Question) -> str:
    """Return a question as canonical JSON: sorted keys, every default included, minimal whitespace."""
    fields: dict[str, Any] = question.model_dump(mode="json")
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def question_id(attempt: int, question: Question) -> str:
    """Return the id of a question about an attempt of a run: 16 hexadecimal digits."""
    text = f"{attempt}:{canonical_question(question)}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
