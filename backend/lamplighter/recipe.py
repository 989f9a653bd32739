"""Everything that defines a run, validated.

A `Recipe` is written once into the run folder, before anything else, and never changed: with the corpus
beside it, it is all that is needed to compute the run again. Times, paces and pauses are not in it, since
they do not change what is learned.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

CorpusKind = Literal["lamptown", "manuals", "text", "recorded"]
TokeniserKind = Literal["words", "bpe"]
OptimiserKind = Literal["lazy", "adam", "sgd"]
DeviceKind = Literal["auto", "cpu", "cuda", "mps"]
MapMethodKind = Literal["umap", "refit", "pca"]

DEFAULT_DISK_BUDGET = 1_000_000_000
"""Bytes a run may take on disk unless its recipe says otherwise."""


class RecipeError(ValueError):
    """A recipe that cannot be used; the message is one line: what is wrong and what is allowed."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)


class CorpusRecipe(_Part):
    """Which text, and how it becomes token ids.

    `recorded` is no text of ours: a training loop of its own wrote the run (`client/recorded.py`), and nobody
    here can train it. Of its recipe only the name, `model.dim`, the keyframes' cadence, `steps` and the disk
    budget say anything.
    """

    kind: CorpusKind = "lamptown"
    name: Annotated[str, Field(max_length=200)] = ""
    """What people call the text (a file's name, say). Shown, never opened."""
    tokeniser: TokeniserKind = "words"
    vocabulary_size: Annotated[int, Field(ge=3, le=200_000)] = 4_000
    """An upper limit; a text with fewer distinct tokens has a smaller vocabulary."""
    shuffle_words: bool = False
    """The control: the same words in the same documents, in random order."""


class ModelRecipe(_Part):
    """The shape of the transformer."""

    dim: Annotated[int, Field(ge=2, le=16_384)] = 64
    layers: Annotated[int, Field(ge=1, le=64)] = 2
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    context: Annotated[int, Field(ge=2, le=4_096)] = 32
    tied: bool = False
    """One matrix for reading and for predicting: every row then gets a gradient at every step."""

    @model_validator(mode="after")
    def _heads_divide_dim(self) -> ModelRecipe:
        if self.dim % self.heads:
            raise ValueError(f"dim ({self.dim}) must be a multiple of heads ({self.heads})")
        return self


class OptimiserRecipe(_Part):
    """How the weights are updated.

    `lazy` updates only the rows of the embedding that the batch touched (SparseAdam), and everything
    else with Adam. `adam` is dense everywhere: untouched rows go on moving by momentum. `sgd` has no
    momentum, so untouched rows rest.
    """

    kind: OptimiserKind = "lazy"
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 3e-3
    embedding_factor: Annotated[float, Field(gt=0, le=100)] = 5.0
    """The embedding learns at this many times the learning rate; see `docs/decisions/`."""
    clip_norm: Annotated[float, Field(gt=0)] = 1.0


class Cadence(_Part):
    """How often what is kept is kept, in steps."""

    keyframe_every: Annotated[int, Field(ge=1, le=100_000)] = 100
    checkpoint_every: Annotated[int, Field(ge=1, le=100_000)] = 250
    verify_every: Annotated[int, Field(ge=1, le=100_000)] = 50
    """Whole-matrix check of the moved set, where it is too large to compare at every step."""


class MapRecipe(_Part):
    """How the map is drawn to begin with. It changes nothing that is learned, and can be changed at any time
    (`docs/rest.md`, requests).
    """

    method: MapMethodKind = "umap"
    """`umap` is the living map; `refit` fits UMAP anew each time and lays it over the last; `pca` is linear."""
    neighbours: Annotated[int, Field(ge=2, le=200)] = 40
    """Neighbours of a token in the graph, itself included: few make islands, many make one land."""
    min_dist: Annotated[float, Field(ge=0, le=3)] = 1.0
    """How close together tokens may lie, at most `spread`."""
    spread: Annotated[float, Field(ge=0.1, le=5)] = 1.5
    """How far out a neighbourhood reaches."""

    @model_validator(mode="after")
    def _reaches_beyond(self) -> MapRecipe:
        if self.min_dist > self.spread:
            raise ValueError(
                f"min_dist ({self.min_dist:g}) must be at most spread ({self.spread:g}): lower the one or raise the other"
            )
        return self


class Recipe(_Part):
    """A run, before it has run."""

    format: Literal[1] = 1
    corpus: CorpusRecipe = CorpusRecipe()
    model: ModelRecipe = ModelRecipe()
    optimiser: OptimiserRecipe = OptimiserRecipe()
    cadence: Cadence = Cadence()
    map: MapRecipe = MapRecipe()
    sequences: Annotated[int, Field(ge=1, le=65_536)] = 16
    """Sequences of `model.context` tokens in a batch."""
    passages: Annotated[int, Field(ge=1, le=65_536)] = 4
    """Places in the corpus a batch reads from; each gives consecutive sequences, so a batch keeps to a
    few topics and lights a few neighbourhoods."""
    steps: Annotated[int, Field(ge=1, le=100_000_000)] = 5_000
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    threads: Annotated[int, Field(ge=1, le=1_024)] = 1
    """CPU threads of the trainer. Part of the recipe: sums in another order give other bits."""
    device: DeviceKind = "auto"
    disk_budget: Annotated[int, Field(ge=1_000_000)] = DEFAULT_DISK_BUDGET

    @model_validator(mode="after")
    def _parts_fit(self) -> Recipe:
        if self.model.tied and self.optimiser.kind == "lazy":
            raise ValueError(
                "tied weights give every row a gradient, so they cannot be updated lazily: "
                "use the optimiser adam or sgd"
            )
        if self.sequences % self.passages:
            raise ValueError(f"sequences ({self.sequences}) must be a multiple of passages ({self.passages})")
        return self

    @property
    def batch_tokens(self) -> int:
        """Tokens read by one step."""
        return self.sequences * self.model.context


def explain(error: ValidationError) -> str:
    """The first fault of a validation error as one line: which field, what is wrong, what is allowed."""
    fault = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ")
    if not isinstance(fault["input"], dict):
        message = f"{message} (got {fault['input']!r})"
    return f"{where}: {message}" if where else message


def load_recipe(path: Path) -> Recipe:
    """Read a recipe from a TOML file.

    Raises:
        RecipeError: the file cannot be read, is not TOML, or does not describe a recipe.
    """
    try:
        return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        raise RecipeError(f"{path}: {explain(error)}") from error
