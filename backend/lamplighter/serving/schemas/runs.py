"""Schemas of runs."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import Field, field_validator
from pydantic.json_schema import SkipJsonSchema

from lamplighter.recipe import Recipe
from lamplighter.runfolder.reading.run_status import RunStatus
from lamplighter.runfolder.run_name import MAX_RUN_NAME, clean_run_name
from lamplighter.serving.schemas.base import ApiModel, Items, PartialModel, RequestBody
from lamplighter.serving.schemas.recorded_recipe import RecordedRecipe


class Status(RunStatus):
    """The state of a run."""


class PlantedClass(ApiModel):
    """A planted class of tokens."""

    name: str
    size: int
    family: str | None = None
    """The family of classes that it is in, such as "food"; null for a class of no family."""


class PlantedRelation(ApiModel):
    """A planted relation between tokens."""

    name: str
    pairs: int


class RunSummary(ApiModel):
    """A run in the list."""

    id: str
    name: str
    """The name that people read. It need not be unique, and is untrusted: show it as plain text only."""
    readable: bool
    problem: str | None
    """The reason it cannot be read."""
    created: float | None
    recipe: Recipe | RecordedRecipe | None
    status: Status | None
    districts: int | None = None
    """The number of districts found last; null before the map was first searched for them."""


class RunList(Items[RunSummary]):
    """Every run, newest first."""


class RunDetails(RunSummary, PartialModel):
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
    """The numbers that the steps of a recorded run have in its own loop: stretches of step, number and stride, so that the
    step `step + i` has the number `number + i * stride`. A stride of 0: not known from there on. Absent where each step has
    its own number."""
    config: dict[str, Any] | SkipJsonSchema[None] = None
    """The configuration that a recorded run was given, untrusted: JSON values by name."""

    def fields_to_omit(self) -> Any:
        """Return the fields that the trainer has not reported yet."""
        return {name for name in RunDetails.__annotations__ if getattr(self, name) is None}


_UNREADABLE = "the presenter can see why"
Described = TypeVar("Described", bound=RunSummary)


def without_text(run: Described, plain_name: str) -> Described:
    """Return a run as it is described to a viewer who may not see its text: without any words but those of its map.

    The model may be asked to continue some of the text, the corpus may have the name of its file, and what a trainer or a
    reader says of a fault may quote either.
    """
    hidden: dict[str, Any] = {"name": plain_name, "problem": run.problem and _UNREADABLE}
    if run.recipe is not None:
        nameless = {"corpus": run.recipe.corpus.model_copy(update={"name": ""})}
        prompts = {"prompts": ()} if isinstance(run.recipe, Recipe) else {}
        hidden["recipe"] = run.recipe.model_copy(update=nameless | prompts)
    if run.status is not None:
        hidden["status"] = run.status.model_copy(update={"message": ""})
    if isinstance(run, RunDetails):
        # A loop's settings may quote its text.
        hidden["config"] = None
    return run.model_copy(update=hidden)


class AttemptFacts(ApiModel):
    """An attempt at training a run: the first, or one after a break that could not be continued bit for bit."""

    attempt: int
    first_step: int
    """Older attempts are superseded from this step on."""
    opened: float


class RecordParts(ApiModel):
    """Disk usage by part, in bytes."""

    steps: int
    """Pulses, whole matrices, and the moved rows that are not in tiles yet."""
    tiles: int
    map: int
    measures: int
    checkpoints: int
    waypoints: int
    """States of the model kept for questions about any step. One that is a checkpoint as well is counted there."""
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
    """One line of characters that can be seen. White space in it becomes single spaces."""

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


class EstimateParts(ApiModel):
    """Estimated bytes by part."""

    moved_rows: int
    keyframes: int
    steps: int
    map: int
    checkpoints: int
    waypoints: int
    corpus: int


class SizeEstimateResponse(ApiModel):
    """The expected disk usage of a finished run: a guess from its recipe."""

    bytes: int
    """The total, limited by the budget."""
    whole: int
    """The total if there were no budget."""
    fits: bool
    """True if the budget is expected to be enough for every snapshot."""
    budget: int
    lit: int
    """Rows a batch lights, estimated."""
    exact: bool
    """True if every step is kept exactly, not only keyframes."""
    parts: EstimateParts
