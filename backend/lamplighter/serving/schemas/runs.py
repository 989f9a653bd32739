"""Schemas of runs: their list, their recipes and their forks."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, field_validator
from pydantic.json_schema import SkipJsonSchema

from lamplighter.contract.fork_parent import Change
from lamplighter.contract.recipe import MapRecipe, Recipe
from lamplighter.runfolder.reading.run_status import RunStatus
from lamplighter.runfolder.run_name import MAX_RUN_NAME, clean_run_name
from lamplighter.serving.schemas.base import ApiModel, HasReason, Items, PartialModel, RequestBody, StepNumber


class RecordedCorpus(ApiModel):
    """The text of a recorded run."""

    kind: Literal["recorded"] = "recorded"
    name: str
    """The name given by its recorder, untrusted."""


class RecordedModel(ApiModel):
    """The model of a recorded run."""

    dim: int


class RecordedCadence(ApiModel):
    """The cadence of a recorded run."""

    keyframe_every: int


class RecordedRecipe(ApiModel):
    """The recipe of a run that was recorded from an external training loop, or made of checkpoints."""

    corpus: RecordedCorpus
    model: RecordedModel
    cadence: RecordedCadence
    map: MapRecipe
    disk_budget: int


def describe_recipe(recipe: Recipe) -> Recipe | RecordedRecipe:
    """Return the recipe of a run, or its known part if the run was recorded."""
    if recipe.corpus.kind != "recorded":
        return recipe
    return RecordedRecipe(
        corpus=RecordedCorpus(name=recipe.corpus.name),
        model=RecordedModel(dim=recipe.model.dim),
        cadence=RecordedCadence(keyframe_every=recipe.cadence.keyframe_every),
        map=recipe.map,
        disk_budget=recipe.disk_budget,
    )


class Status(HasReason, RunStatus):
    """The state of a run; `code` and `values` say its message."""

    SENTENCE = "message"


class PlantedClass(ApiModel):
    """A planted class of tokens."""

    name: str
    size: int
    family: str | None = None
    """The family of the class, such as "food"; null if it has none."""


class PlantedRelation(ApiModel):
    """A planted relation between tokens."""

    name: str
    pairs: int


class ForkOrigin(ApiModel):
    """Where a fork comes from."""

    run: str
    """The parent's id. The parent may be gone."""
    step: int
    """The parent's step that is the fork's step 0."""
    name: str
    """The parent's name when the fork was made, untrusted; empty for a viewer who may not see the text."""
    changes: list[Change]
    """What was changed; empty for a control."""

    @staticmethod
    def of(recipe: Recipe) -> ForkOrigin | None:
        """Return where the run of a recipe comes from; None if it is no fork."""
        parent = recipe.parent
        if parent is None:
            return None
        return ForkOrigin(run=parent.run, step=parent.step, name=parent.name, changes=list(parent.changes))


class RunSummary(ApiModel):
    """A run in the list."""

    id: str
    name: str
    """The display name. It need not be unique, and is untrusted: show it only as plain text."""
    readable: bool
    problem: str | None
    """The reason why it cannot be read."""
    created: float | None
    recipe: Recipe | RecordedRecipe | None
    status: Status | None
    districts: int | None = None
    """The current number of districts; null before the first search for districts."""
    parent: ForkOrigin | None = None
    """Where a fork comes from; null for any other run."""
    set: str | None = None
    """The id of the set that it is in; null if it is in none."""


class RunList(Items[RunSummary]):
    """The runs asked for; by default every run, newest first."""


class HistoryFinding(ApiModel):
    """What is wrong with some checkpoints of a series, or worth knowing about them."""

    code: str
    severity: Literal["problem", "note"]
    steps: list[int]
    """In the training's own numbers."""
    of: int | None = None
    """The step whose table the others hold, if they hold one."""
    sentence: dict[str, str]
    """The finding in a sentence, by language; untrusted: show it only as plain text."""


class CheckedHistory(ApiModel):
    """What a check of a series of checkpoints found."""

    checkpoints: int
    problems: int
    findings: list[HistoryFinding]


class ProbedLayers(ApiModel):
    """The rows of a run of hidden states: row `layer * R + probe` is a probe in a layer, of R probes."""

    run: str
    """The id of the run whose model is read; it may be gone."""
    layers: list[str]
    words: list[int]
    """The number of each probe's word; empty if all have the same, or none."""
    texts: list[str]
    """The sentence of each probe, untrusted: show it only as plain text. Empty if they have none."""


class LandmarkTrust(ApiModel):
    """The tokens that the map of a large vocabulary lays out, and the trust in both kinds."""

    tokens: int
    """How many are laid out; the others are placed beside those nearest to them."""
    laid_out: float | None = None
    """Mean trustworthiness of the places of tokens that are laid out; null until the map rests."""
    placed: float | None = None
    """That of tokens that are placed."""


class RunResponse(RunSummary, PartialModel):
    """A run, with its contents once its corpus is read."""

    layers: list[str] | SkipJsonSchema[None] = None
    """Names of the layers that `layer_norms` measure."""
    vocabulary: int | SkipJsonSchema[None] = None
    dim: int | SkipJsonSchema[None] = None
    parameters: int | SkipJsonSchema[None] = None
    corpus_tokens: int | SkipJsonSchema[None] = None
    classes: list[PlantedClass] | SkipJsonSchema[None] = None
    relations: list[PlantedRelation] | SkipJsonSchema[None] = None
    numbers: list[tuple[int, int, int]] | SkipJsonSchema[None] = None
    """The loop's own step numbers of a recorded run: stretches of step, number and stride, so that the step `step + i`
    has the number `number + i * stride`. A stride of 0: unknown from there on. Absent if the numbers are equal."""
    config: dict[str, Any] | SkipJsonSchema[None] = None
    """The configuration of a recorded run, untrusted: JSON values by name."""

    landmarks: LandmarkTrust | SkipJsonSchema[None] = None
    """How the map of a large vocabulary came about; absent for one that is laid out whole."""
    history: CheckedHistory | SkipJsonSchema[None] = None
    """What a check of a series of checkpoints found; absent if the run is none."""
    probes: ProbedLayers | SkipJsonSchema[None] = None
    owners: list[tuple[int, int]] | SkipJsonSchema[None] = None
    """The first row and the number of rows of each process that trains the run; absent if one does."""
    """What the rows of a run of hidden states are; absent if the run is none."""

    def fields_to_omit(self) -> Any:
        """Return the fields that the trainer has not reported yet."""
        return {name for name in RunResponse.__annotations__ if getattr(self, name) is None}


UNREADABLE = "the presenter can see why"
Described = TypeVar("Described", bound=RunSummary)


def without_text(run: Described, plain_name: str) -> Described:
    """Return a run's description for a viewer who may not see its text: the only words are those of its map.

    A prompt may quote the text, the corpus may have the name of its file, and an error of a trainer or a reader may
    contain either.
    """
    hidden: dict[str, Any] = {"name": plain_name, "problem": run.problem and UNREADABLE}
    if run.recipe is not None:
        nameless: dict[str, Any] = {"corpus": run.recipe.corpus.model_copy(update={"name": ""})}
        if isinstance(run.recipe, Recipe):
            parent = run.recipe.parent
            nameless |= {"prompts": (), "parent": parent and parent.model_copy(update={"name": ""})}
        hidden["recipe"] = run.recipe.model_copy(update=nameless)
    if run.parent is not None:
        hidden["parent"] = run.parent.model_copy(update={"name": ""})
    if run.status is not None:
        hidden["status"] = run.status.model_copy(update={"message": ""})
    if isinstance(run, RunResponse):
        # A loop's settings and probes may quote its text, and a finding the name of a file.
        hidden |= {"config": None, "history": None, "probes": None}
    return run.model_copy(update=hidden)


class AttemptFacts(ApiModel):
    """An attempt at training a run: the first, or one after a break that could not be resumed bit for bit."""

    attempt: int
    first_step: int
    """Older attempts are superseded from this step on."""
    opened: float


class RecordParts(ApiModel):
    """Disk usage by part, in bytes."""

    steps: int
    """Pulses, full matrices, and the moved rows that are not in tiles yet."""
    tiles: int
    map: int
    measures: int
    checkpoints: int
    waypoints: int
    """States of the model kept for questions about any step. Those that are also checkpoints are counted as
    checkpoints."""
    corpus: int
    other: int


class RunRecord(ApiModel):
    """The attempts at a run, and the disk usage of its record."""

    attempts: list[AttemptFacts]
    """Oldest first; the newest 1,000."""
    parts: RecordParts


class RunNaming(RequestBody):
    """A new name for a run."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_RUN_NAME)]
    """One line of visible characters. White space is collapsed to single spaces."""

    @field_validator("name")
    @classmethod
    def _clean(cls, name: str) -> str:
        return clean_run_name(name)


class NewRun(RequestBody):
    """A request for a new run."""

    recipe: Recipe = Recipe()
    upload: str | None = None
    """For the corpus kind `text`: the id that `POST /api/uploads` returned."""


class EstimateRequest(RequestBody):
    """A run to estimate, which need not exist."""

    recipe: Recipe = Recipe()
    text_bytes: Annotated[int, Field(ge=0, le=1 << 40)] | None = None
    """For the corpus kind `text`: the length of the text in bytes."""


class NewFork(RequestBody):
    """A request for a fork of a run."""

    step: StepNumber
    """The step of the run that becomes the fork's step 0."""
    changes: Annotated[dict[str, Any], Field(default_factory=dict[str, Any])]
    """New values by field, such as `optimiser.learning_rate`. Without any, the fork is a control: bit-equal to the run."""
    steps: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    """Steps of the fork. By default as many as the run had left, and at least 500."""
    name: Annotated[str, Field(min_length=1, max_length=MAX_RUN_NAME)] | None = None
    upload: str | None = None
    """For the change of `corpus.kind` to `text`: the id that `POST /api/uploads` returned."""
    confirmed: bool = False
    """True to fork an imported run, once the caller knows what it takes."""
