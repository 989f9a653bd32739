"""What REST answers and accepts look like (`docs/rest.md`), as types: the OpenAPI page is made from them."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from lamplighter.recipe import MapMethodKind, MapRecipe, Recipe

Item = TypeVar("Item")

Step = Annotated[int, Field(ge=0, le=0xFFFF_FFFF)]
"""A step's number; 0 is before the first update."""


class Items(BaseModel, Generic[Item]):
    """A list."""

    items: list[Item]


class Health(BaseModel):
    """The server is up."""

    status: Literal["ok"] = "ok"
    version: str


class Session(BaseModel):
    """Who the caller is, and what works for the server."""

    presenter: bool
    version: str
    workers: dict[str, str]
    """By role, in words."""


class Launch(BaseModel):
    """A link that makes one browser the presenter's, once."""

    url: str


class Status(BaseModel):
    """What a run is doing."""

    phase: Literal["waiting", "preparing", "running", "paused", "finished", "interrupted", "failed"]
    message: str
    alive: bool
    """A trainer holds the run now."""
    attempt: int
    step: int
    steps: int
    """Where the run will end."""
    loss: float | None
    pace: Literal["full", "limited", "single"]
    pace_steps_per_second: float | None
    snapshots: Literal["all", "keyframes", "none", "paused"]
    bytes: int
    changed: float


class PlantedClass(BaseModel):
    """A planted class of tokens."""

    name: str
    size: int


class PlantedRelation(BaseModel):
    """A planted relation between tokens."""

    name: str
    pairs: int


class Run(BaseModel):
    """A run in the list."""

    id: str
    readable: bool
    problem: str | None
    """Why it cannot be read."""
    created: float | None
    recipe: Recipe | None
    status: Status | None


class RunInFull(Run):
    """A run, and once its corpus is read, what it consists of."""

    layers: list[str] | None = None
    """Names of what `layer_norms` are of."""
    vocabulary: int | None = None
    dim: int | None = None
    parameters: int | None = None
    corpus_tokens: int | None = None
    classes: list[PlantedClass] | None = None
    relations: list[PlantedRelation] | None = None


class NewRun(BaseModel):
    """What a run is made of."""

    model_config = ConfigDict(extra="forbid")

    recipe: Recipe = Recipe()
    upload: str | None = None
    """For the corpus kind `text`: what `POST /api/uploads` gave."""


class WouldBe(BaseModel):
    """A run that might be made."""

    model_config = ConfigDict(extra="forbid")

    recipe: Recipe = Recipe()
    text_bytes: Annotated[int, Field(ge=0, le=1 << 40)] | None = None
    """For the corpus kind `text`: how long the text is."""


class EstimateParts(BaseModel):
    """Bytes by what they are."""

    moved_rows: int
    keyframes: int
    steps: int
    map: int
    checkpoints: int
    corpus: int


class Estimate(BaseModel):
    """What a finished run would take on the disk: a guess from its recipe."""

    bytes: int
    """Of everything, kept to the budget."""
    whole: int
    """Of everything, were there no budget."""
    fits: bool
    """Whether the budget is expected to be enough for every snapshot."""
    budget: int
    lit: int
    """Rows a batch lights, as guessed."""
    exact: bool
    """Whether every step is kept exactly, not only keyframes."""
    parts: EstimateParts


class Upload(BaseModel):
    """A text that was kept."""

    upload: str
    bytes: int


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Plain(_Asked):
    """A request without more to say."""

    kind: Literal["pause", "resume", "step", "stop"]


class Pace(_Asked):
    """How fast to train; null for full speed."""

    kind: Literal["pace"]
    steps_per_second: Annotated[float | None, Field(gt=0, le=10_000)]


class LearningRate(_Asked):
    """Another learning rate, from the next step on."""

    kind: Literal["learning_rate"]
    value: Annotated[float, Field(gt=0, le=10)]


class Continue(_Asked):
    """A run that is over goes on, `steps` more than where it would end, at another learning rate if one is
    given.
    """

    kind: Literal["continue"]
    steps: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    learning_rate: Annotated[float | None, Field(gt=0, le=10)] = None


class ChangeMap(_Asked):
    """Draw the map in another way, from where the tokens lie now; what is not named stays as it is."""

    kind: Literal["map"]
    method: MapMethodKind | None = None
    neighbours: Annotated[int | None, Field(ge=2, le=200)] = None
    min_dist: Annotated[float | None, Field(ge=0, le=3)] = None
    """At most `spread`."""
    spread: Annotated[float | None, Field(ge=0.1, le=5)] = None

    @model_validator(mode="after")
    def _names_something(self) -> ChangeMap:
        if self.method is self.neighbours is self.min_dist is self.spread is None:
            raise ValueError("say what to change: method, neighbours, min_dist or spread")
        return self


Asked = Annotated[Plain | Pace | LearningRate | Continue | ChangeMap, Field(discriminator="kind")]


class BasisOf(BaseModel):
    """The step whose matrix gave the directions of the linear view."""

    attempt: int
    step: int


class MapInFull(BaseModel):
    """How the map is drawn."""

    chosen: MapRecipe
    """The newest layouts."""
    asked: MapRecipe
    """How it will be once everything that was asked for is taken up."""
    settled: bool
    """Nothing is asked for, and of a run that is over the map has come to rest since."""
    linear: BasisOf | None
    """null before the first linear layout."""


class Accepted(BaseModel):
    """A request that was kept; it is acknowledged on the live socket when it takes effect."""

    request: str


class StepFacts(BaseModel):
    """What one step did, in numbers."""

    attempt: int
    step: int
    time: float
    loss: float | None
    learning_rate: float | None
    tokens_per_second: float | None
    step_seconds: float | None
    observe_seconds: float | None
    batch_rows: int
    gradient_rows: int
    moved_rows: int
    verified: bool
    layer_norms: list[float | None]


class Steps(Items[StepFacts]):
    """Steps in numbers, and how they were chosen."""

    every: int
    """Every so-manieth step of the range; 1 with `extremes`."""
    extremes: bool
    """Of each of several equally long stretches the smallest and the largest loss is here: nothing stands out
    that is not shown.
    """


class StepInFull(StepFacts):
    """What one step did, row by row."""

    tokens: list[list[int]]
    """The batch's text: sequences of token ids."""
    gradient: list[tuple[int, float | None]]
    """Token id and gradient norm, largest first."""
    moved: list[tuple[int, float | None]]
    """Token id and the distance its row went, largest first."""


class Event(BaseModel):
    """Something worth a place on the timeline."""

    id: int
    time: float
    attempt: int
    step: int
    kind: str
    message: str


class Measures(BaseModel):
    """What was computed from the record at a step."""

    step: int
    values: dict[str, float | None]


class Keyframe(BaseModel):
    """A step at which the whole matrix is kept."""

    attempt: int
    step: int


class Keyframes(Items[Keyframe]):
    """The keyframes, and whether the steps between them can be rebuilt."""

    exact: bool
    """Every step from `from` to `to` rebuilds bit for bit."""
    stretches: list[tuple[int, int]]
    """First and last step of each stretch, of this page, of which every step rebuilds bit for bit."""
    from_: int = Field(serialization_alias="from")
    to: int
    next: str | None
    """The address of the next page; null on the last."""


class Matrix(BaseModel):
    """The embedding after a step, a row a token, and what is known of the tokens; all lists in one order."""

    attempt: int
    step: int
    token_ids: list[int]
    tokens: list[str]
    classes: list[str | None]
    counts: list[int]
    vectors: list[list[float | None]]


class Vectors(BaseModel):
    """Rows of the embedding through steps."""

    attempt: int
    """The one that the last step belongs to."""
    steps: list[int]
    token_ids: list[int]
    vectors: list[list[list[float | None]]]
    """By step, then by token."""


class PathOfVectors(BaseModel):
    """One token's vector through the steps that are kept exactly."""

    token_id: int
    steps: list[int]
    vectors: list[list[float | None]]


class PathOfMotion(BaseModel):
    """How one token's vector moves through the steps that are kept exactly."""

    token_id: int
    steps: list[int]
    length: list[float | None]
    """Euclidean norm of the vector."""
    displacement: list[float | None]
    """Euclidean distance from the kept step before; null at the first."""
    turned: list[float | None]
    """Degrees between the vector and that of the kept step before; null at the first, and where one has no length."""
    turned_since_first: list[float | None]
    """Degrees between the vector and that of the first kept step of the range."""


class PathOfPlaces(BaseModel):
    """One token's places on the map, by layout."""

    token_id: int
    method: Literal["linear", "umap"]
    steps: list[int]
    x: list[float]
    y: list[float]


class Places(BaseModel):
    """Several layouts."""

    method: Literal["linear", "umap"]
    steps: list[int]
    places: list[list[tuple[float, float]]]
    """By layout, then by token."""


class LayoutFacts(BaseModel):
    """A layout in the list: which, and how far to trust it (null: not estimated)."""

    attempt: int
    step: int
    method: Literal["linear", "umap", "refit", "pca"]
    """What drew it."""
    trust: float | None
    trust_error: float | None
    recall: float | None


class LayoutInList(LayoutFacts):
    """A layout in the list; its id grows in the order they were made."""

    id: int


class Layouts(Items[LayoutInList]):
    """The layouts that count, in the order they were made."""

    next: str | None
    """The address of the next page; null on the last."""


class LayoutInFull(LayoutFacts):
    """A layout with its coordinates by token id."""

    coordinates: list[tuple[float, float]]


class Token(BaseModel):
    """A token of the vocabulary."""

    token_id: int
    token: str
    count: int
    class_: str | None = Field(serialization_alias="class")


class TokenInFull(Token):
    """A token at a step."""

    step: int
    exact: bool
    """`step` is the one that was asked for."""
    norm: float | None
    touches: int
    """Batches it was in."""
    last_lit: int | None
    """The last step whose batch it was in; null for none."""


class Neighbour(BaseModel):
    """A near token."""

    token_id: int
    token: str
    class_: str | None = Field(serialization_alias="class")
    cosine: float | None


class Neighbours(Items[Neighbour]):
    """The nearest tokens at a step, by cosine."""

    step: int
    exact: bool


class NewExport(_Asked):
    """What to export."""

    format: Literal["zip", "html", "embedding-projector", "parquet", "safetensors", "npy", "csv"]
    step: Step | None = None
    """For formats of one step; null takes the newest that was kept exactly."""


class Export(BaseModel):
    """An export that is being made, or over."""

    id: str
    run: str
    format: str
    step: int | None
    """As it was asked for."""
    created: float
    state: Literal["running", "done", "failed", "cancelled"]
    share: float
    """How much of it is done, from 0 to 1."""
    what: str
    """What is being done."""
    bytes: int
    """Written so far; of the file, once it is done."""
    name: str
    """What the file is called."""
    problem: str | None
    """Why it failed."""
    left_out: list[str]
    """What the file does not hold, in words."""


class NewReprojection(_Asked):
    """Lay a run out anew."""

    slices: Annotated[int | None, Field(ge=2, le=1_000)] = None
    """How many steps, evenly over those that are kept; null for 120."""


class MadeAnew(BaseModel):
    """Layouts made anew that are there."""

    steps: int
    first: int
    last: int
    time: float


class Reprojection(BaseModel):
    """A run that is being laid out anew, or was."""

    state: Literal["none", "running", "done", "failed", "cancelled"]
    """Of the last one begun by this server."""
    share: float
    """How much of it is done, from 0 to 1."""
    what: str
    problem: str | None
    made: MadeAnew | None
    """null where there are none."""


class StatusMessage(BaseModel):
    """On the live socket: the run's state changed."""

    type: Literal["status"] = "status"
    status: Status


class HelloMessage(BaseModel):
    """On the live socket, first."""

    type: Literal["hello"] = "hello"
    run: RunInFull
    channels: list[str]


class MeasuresMessage(Measures):
    """On the live socket: new measures."""

    type: Literal["measures"] = "measures"


class AcknowledgedMessage(BaseModel):
    """On the live socket: a request took effect."""

    type: Literal["acknowledged"] = "acknowledged"
    request: str
    kind: str
    step: int


def as_json(model: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A model as a response. Called in the route's thread, so that the event loop serialises nothing; what
    is not a finite number becomes null.
    """
    return Response(json_text(model), status, headers, "application/json")


def json_text(model: BaseModel) -> str:
    """A model as JSON; what a run does not have yet is left out."""
    return model.model_dump_json(by_alias=True, exclude=_absent(model))


def _absent(model: BaseModel) -> Any:
    match model:
        case RunInFull():
            return {name for name in RunInFull.__annotations__ if getattr(model, name) is None}
        case HelloMessage():
            return {"run": _absent(model.run)}
        case _:
            return None
