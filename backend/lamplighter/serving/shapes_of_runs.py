"""Runs, as REST shows and takes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lamplighter.recipe import Recipe
from lamplighter.serving.shapes import Partial


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
    crowded: bool
    """The trainer waits for room on the disk: nothing more can be written."""
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


class RunInFull(Run, Partial):
    """A run, and once its corpus is read, what it consists of."""

    layers: list[str] | None = None
    """Names of what `layer_norms` are of."""
    vocabulary: int | None = None
    dim: int | None = None
    parameters: int | None = None
    corpus_tokens: int | None = None
    classes: list[PlantedClass] | None = None
    relations: list[PlantedRelation] | None = None

    def absent(self) -> Any:
        """What the trainer has not said yet."""
        return {name for name in RunInFull.__annotations__ if getattr(self, name) is None}


class AttemptFacts(BaseModel):
    """One go at training a run: the first, or one after a break that could not be continued bit for bit."""

    attempt: int
    first_step: int
    """What older attempts had from here on is superseded."""
    opened: float


class RecordParts(BaseModel):
    """Bytes on the disk, by what they are."""

    steps: int
    """Pulses, whole matrices, and the moved rows that are not in tiles yet."""
    tiles: int
    map: int
    measures: int
    checkpoints: int
    corpus: int
    other: int


class Record(BaseModel):
    """How a run was recorded, and what that takes."""

    attempts: list[AttemptFacts]
    """Oldest first; the newest 1,000."""
    parts: RecordParts


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
