"""The questions that one may ask of the model of a run at a step, validated and in a canonical form.

A question says everything that its answer depends on besides the run: asked twice, it is answered once. The examiner
(`examination/`) answers them; REST, Python and the command line ask them.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, get_args

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import CoreSchema

from lamplighter.reason import Reason
from lamplighter.recipe import Recipe, StrictInput, explain_validation_error

MAX_TEXT = 2_000
"""Maximum characters of a prompt or a sentence."""
MAX_STEP = 0xFFFF_FFFF

Step = Annotated[int, Field(ge=0, le=MAX_STEP)]
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Word = Annotated[str, Field(min_length=1, max_length=200)]
TokenId = Annotated[int, Field(ge=0, lt=200_000)]


BENCH_RULES = 4
"""Trainings of the kind `bench`."""
DECILE_RUNS = 6
"""Trainings of the kind `deciles`: three learning rates of two optimisers."""
BETTER_BATCHES = 3
"""Batches that a step of the kind `better` reads besides: its own afterwards, and another one before and after."""
ENVIRONMENT_POINTS = 25
"""Maximum points at which the kind `environment` reads the text of both towns."""
HOME_STEPS, HOME_POINTS = 100, 10
"""Maximum steps for which a copy stays at home there, and the points at which it reads its text."""
SUBSTITUTES = 10
"""Words that the kind `substitution` puts in the place of each: the nearest, the tenth nearest, and random ones."""
MAX_POSITIONS = 64
"""Maximum predictions of a window that it reads: what follows much later says little of one word."""


class Work(NamedTuple):
    """The computation that a question takes."""

    steps: int = 0
    """Training steps."""
    read: float = 0.0
    """Batches that are read, forward only."""


class QuestionError(ValueError):
    """An error for a question that cannot be asked; the message is one line that says what is wrong."""

    def __init__(self, message: str, reason: Reason | None = None) -> None:
        """Set the message, and its reason as a code where a person may meet it."""
        super().__init__(message)
        self.reason = reason


class _Question(StrictInput):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    step: Step
    """The step after which the model is examined; 0 is before the first."""
    confirmed: Annotated[bool, Field(exclude=True, repr=False)] = False
    """True to ask a run that was imported: its model takes what a stranger's recipe asks for. Without it such a question is
    refused with 409, and the refusal says what that is. It is not stored with the question."""

    _examined: ClassVar[Literal["after", "before", "start"]] = "after"
    """The model that is needed: that after the step, that before it, or the one at the start of the run."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> dict[str, Any]:
        """Return the JSON schema, in which the kind must be said: it tells the questions apart."""
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        found = handler.resolve_ref_schema(schema)
        found["properties"]["kind"].pop("default")
        found["required"].insert(1, "kind")
        return schema

    @property
    def model_step(self) -> int:
        """Return the step to which the model must be brought before the question is answered."""
        return {"after": self.step, "before": self.step - 1, "start": 0}[self._examined]

    counted: ClassVar[str] = "steps"
    """The field that says how much is computed."""
    on_processor: ClassVar[bool] = False
    """True for a kind that is computed on a processor, wherever the run was trained."""

    @property
    def last_step(self) -> int:
        """Return the last step whose model the answer depends on."""
        return self.step

    def work(self, recipe: Recipe, sample: float) -> Work:
        """Return what the question takes, by which it is priced; `sample`: the batches that a sample of the run's text has."""
        return Work()


class SpeakQuestion(_Question):
    """A prompt that the model continues, greedily and by chance."""

    kind: Literal["speak"] = "speak"
    prompt: Text
    words: Annotated[int, Field(ge=1, le=64)] = 20
    """Tokens to say."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of the random numbers of the sampled continuation."""
    temperature: Annotated[float, Field(ge=0.1, le=3)] = 1.0


class MicroscopeQuestion(_Question):
    """One training step, from its text to the update of one number."""

    kind: Literal["microscope"] = "microscope"
    step: Annotated[int, Field(ge=1, le=MAX_STEP)]
    """The step that is computed again."""
    token: TokenId | None = None
    """The row of the embedding whose update is shown; None: the row that moved farthest."""
    coordinate: Annotated[int, Field(ge=0, lt=16_384)] = 0
    """The number in that row."""
    sequence: Annotated[int, Field(ge=0, lt=65_536)] = 0
    """The sequence of the batch that is shown."""
    _examined = "before"


class WhatIfQuestion(_Question):
    """A sentence on which a copy of the model is trained, and what that changes."""

    kind: Literal["what_if"] = "what_if"
    sentence: Text
    steps: Annotated[int, Field(ge=1, le=20)] = 5
    """Training steps on the sentence."""
    after: Annotated[int, Field(ge=0, le=100)] = 0
    """Training steps on the run's own text after that."""


class TransplantQuestion(_Question):
    """A row, or a whole embedding, put in the place of another, and what the model says then."""

    kind: Literal["transplant"] = "transplant"
    into: Word | None = None
    """The word whose row is replaced; None: the whole matrix is."""
    source: Word | None = None
    """The word whose row is put there; None: the same word."""
    source_step: Step | None = None
    """The step at which the row, or the matrix, is taken; None: the same step."""
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
    """A sentence whose attention is read by layer and head, and a word of it in another sentence or at another step."""

    kind: Literal["probe"] = "probe"
    sentence: Text
    other_sentence: Text | None = None
    """A second sentence; words that both have are compared layer by layer."""
    other_step: Step | None = None
    """A second step at which the same is read."""

    @property
    def last_step(self) -> int:
        """Return the last step whose model the answer depends on."""
        return max(self.step, self.other_step or 0)


class DevicesQuestion(_Question):
    """One training step, shared by two processes of this machine as by two devices."""

    kind: Literal["devices"] = "devices"
    step: Annotated[int, Field(ge=1, le=MAX_STEP)]
    """The step that is computed again."""
    _examined = "before"


class BenchQuestion(_Question):
    """A comparison of four rules of updating the embedding on equal batches: which rows are in the batch, get a gradient, and move."""

    kind: Literal["bench"] = "bench"
    steps: Annotated[int, Field(ge=1, le=60)] = 40
    """Training steps of each rule, from the recipe's initial state, on the batches after `step`."""
    _examined = "start"
    on_processor = True

    def work(self, recipe: Recipe, sample: float) -> Work:
        """Return the trainings of all rules."""
        return Work(BENCH_RULES * self.steps)


class BatchSizesQuestion(_Question):
    """Batches from small to large of the run's text, and how many rows each of them reads."""

    kind: Literal["batch_sizes"] = "batch_sizes"
    _examined = "start"


class EnvironmentQuestion(_Question):
    """A text in which every word has another's job, on which a copy of the model is trained, and the way back."""

    kind: Literal["environment"] = "environment"
    steps: Annotated[int, Field(ge=10, le=2_000)] = 600
    """Training steps on the other text."""
    back: Annotated[int, Field(ge=0, le=500)] = 100
    """Training steps on the run's own text after that."""

    def work(self, recipe: Recipe, sample: float) -> Work:
        """Return the training on both texts and that of the copy at home, with the readings of the curves."""
        steps = self.steps + self.back + min(self.steps, HOME_STEPS)
        return Work(steps, (2 * ENVIRONMENT_POINTS + HOME_POINTS) * sample)


class DecilesQuestion(_Question):
    """The loss on frequent and on rare words, now and under two optimisers from the start."""

    kind: Literal["deciles"] = "deciles"
    steps: Annotated[int, Field(ge=0, le=200)] = 100
    """Training steps of each optimiser at each of its learning rates; 0: none is trained."""

    def work(self, recipe: Recipe, sample: float) -> Work:
        """Return the trainings of both optimisers."""
        return Work(DECILE_RUNS * self.steps)


class BetterQuestion(_Question):
    """Steps at some places of the training, and whether each makes the model better at its batch, at another, and on unread text."""

    kind: Literal["better"] = "better"
    steps: Annotated[int, Field(ge=1, le=40)] = 40
    """Steps in all."""
    places: Annotated[int, Field(ge=1, le=4)] = 4
    """Places of the training that they are shared among, `step` the last of them; fewer where fewer states of the model were
    kept."""

    def work(self, recipe: Recipe, sample: float) -> Work:
        """Return the steps, with the texts that are read before and after each."""
        return Work(self.steps, (BETTER_BATCHES + sample) * self.steps + sample * self.places)


class SubstitutionQuestion(_Question):
    """Words put in the place of others in held-out sentences: the nearest, the tenth nearest, and random ones."""

    kind: Literal["substitution"] = "substitution"
    words: Annotated[int, Field(ge=20, le=500)] = 200
    """Words of the sample, each of which is replaced in one sentence; fewer where the text has fewer."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of the sample of words, of their sentences, and of the random words."""
    counted = "words"

    def work(self, recipe: Recipe, sample: float) -> Work:
        """Return the sentences that are read, each with every word that is put in."""
        windows = (1 + SUBSTITUTES) * self.words
        return Work(read=windows * min(recipe.model.context, MAX_POSITIONS) / recipe.batch_tokens)


Question = (
    SpeakQuestion
    | MicroscopeQuestion
    | WhatIfQuestion
    | TransplantQuestion
    | RotationQuestion
    | ProbeQuestion
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
    """Return the question in a JSON object.

    Raises:
        QuestionError: there is none in it; the message names the field.
    """
    try:
        return _QUESTIONS.validate_python(fields)
    except ValidationError as error:
        raise QuestionError(explain_validation_error(error)) from error


def canonical_question(question: Question) -> str:
    """Return a question as JSON in one form: sorted keys, every default written out, no superfluous spaces."""
    fields: dict[str, Any] = question.model_dump(mode="json")
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def question_id(attempt: int, question: Question) -> str:
    """Return the id of a question about an attempt of a run: 16 hexadecimal digits."""
    text = f"{attempt}:{canonical_question(question)}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
