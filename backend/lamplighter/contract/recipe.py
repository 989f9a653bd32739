"""The recipe of a run: all its parameters, validated.

A `Recipe` is written once into the run folder, before anything else, and never changed: recipe and corpus
suffice to recompute the run. Times, speeds and pauses are not part of it, because they do not affect
learning.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import Field, model_validator

from lamplighter.contract.fork_parent import ForkParent
from lamplighter.contract.strict_input import FrozenInput

_DEFAULTS: dict[str, dict[str, Any]] = {
    # Learns to copy all at once, with two layers (docs/decisions/0042-words-that-come-again.md).
    "repeats": {
        "model": {"dim": 32, "heads": 2},
        "optimiser": {"kind": "adam", "embedding_factor": 1.0},
        "cadence": {"waypoint_every": 100},
        "map": {"neighbours": 10},
        "sequences": 64,
        "passages": 64,
        "steps": 2_000,
    },
    # Generalises long after it has memorised (docs/decisions/0038-sums-on-a-clock.md).
    "modular": {
        "corpus": {"modulus": 59, "train_share": 0.4},
        "model": {"layers": 1, "context": 4},
        "optimiser": {"kind": "adam", "learning_rate": 2e-3, "embedding_factor": 1.0, "weight_decay": 1.0},
        "cadence": {"keyframe_every": 20},
        "map": {"neighbours": 10},
        "sequences": 512,
        "passages": 512,
        "steps": 3_000,
    },
}


def fill_defaults(recipe: Any) -> Any:
    """Return the fields of a recipe with those that its kind of text brings along; unchanged if it brings none."""
    corpus = cast("dict[str, Any]", recipe).get("corpus") if isinstance(recipe, dict) else None
    kind = cast("dict[str, Any]", corpus).get("kind") if isinstance(corpus, dict) else None
    if not isinstance(kind, str) or kind not in _DEFAULTS:
        return recipe
    return _merge(_DEFAULTS[kind], cast("dict[str, Any]", recipe))


def _merge(defaults: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    merged = defaults | given
    for name, value in defaults.items():
        if isinstance(value, dict) and isinstance(merged[name], dict):
            # A null is not kept in the recipe's file, and would be filled when that is read.
            named = {key: one for key, one in merged[name].items() if one is not None}
            merged[name] = value | named
            if name == "optimiser" and merged[name]["kind"] != value["kind"]:
                # The defaults are those of one optimiser.
                merged[name] = named
    # In a batch of another size each sequence is still a passage.
    if "sequences" in given and "passages" not in given:
        merged["passages"] = given["sequences"]
    return merged


CorpusKind = Literal["lamptown", "novels", "manuals", "modular", "repeats", "text", "recorded"]
BUILT_IN_TEXTS: tuple[CorpusKind, ...] = ("lamptown", "novels", "manuals", "modular", "repeats")
"""Texts that come with the program or its packages, and so contain nothing private."""
TokeniserKind = Literal["words", "bpe"]
OptimiserKind = Literal["lazy", "adam", "sgd"]
MatrixKind = Literal["embedding", "output"]
DeviceKind = Literal["auto", "cpu", "cuda", "mps"]
EARLIER_MAP_METHODS = ("umap", "refit", "pca")
"""The methods that a recipe could name before there was one. Such a recipe is read, and its map drawn by that one."""

DEFAULT_DISK_BUDGET = 1_000_000_000
"""Default limit of a run's size on disk, in bytes."""
MAX_BATCH_TOKENS = 1 << 20
"""Maximum tokens that a step may read. Activations take about so many times the model's width in memory."""
MAX_PARAMETERS = 2_000_000_000
"""Maximum parameters of a model trained here, with the largest vocabulary its recipe allows."""

PROMPTS = 3
"""Default prompts."""
MAX_PROMPTS = 4
"""Maximum prompts of a recipe: the number of lines that the model generates at a time."""
MAX_PLANTED = 12
"""Maximum pairs of words that a recipe plants in Lamptown."""
PLANTED_ROW = r"^[a-z]{2,20} [a-z]{2,20} [a-z]{2,20}$"
"""A row of planted words: two, and the sign that both share."""
SUM_TOKENS = 5
"""Tokens of a sum in the corpus kind `modular`: "3 + 5 = 8"."""
MAX_PROMPT_TOKENS = 200
"""Maximum tokens of a prompt that the trainer continues; with byte tokens it has more than characters."""


class CorpusRecipe(FrozenInput):
    """The text and its tokenisation.

    `recorded` marks a run written by a client's own training loop (`client/recorder.py`), which cannot be
    trained here. Only the name, `model.dim`, the keyframe cadence, `steps` and the disk budget apply to such
    a recipe.
    """

    kind: CorpusKind = "lamptown"
    name: Annotated[str, Field(max_length=200)] = ""
    """A display name of the text, such as a file name. It is never opened."""
    tokeniser: TokeniserKind = "words"
    vocabulary_size: Annotated[int, Field(ge=3, le=200_000)] = 4_000
    """Upper limit; a text with fewer distinct tokens gets a smaller vocabulary."""
    shuffle_words: bool = False
    """True for the control experiment: the words of each document in random order."""
    planted: Annotated[
        tuple[Annotated[str, Field(pattern=PLANTED_ROW)], ...],
        # JSON has no tuples, so accept a list.
        Field(max_length=MAX_PLANTED, strict=False),
    ] = ()
    """The user's own word pairs in Lamptown, each with the sign that both share: "robot android antenna". No
    word may repeat or occur in the town (`corpora/planted.py`)."""
    # A factory, because the schema says of a field with a default that it is always there.
    other_town: bool = Field(default_factory=bool, exclude_if=lambda value: not value)
    """True for a fork that reads its parent's text with the jobs of the words permuted (`corpora/othertown.py`)."""
    modulus: Annotated[int | None, Field(ge=5, le=199, exclude_if=lambda value: value is None)] = None
    """For `modular`: the numbers on the clock. The sums are a + b modulo this number, which need not be prime."""
    train_share: Annotated[float | None, Field(ge=0.05, le=0.95, exclude_if=lambda value: value is None)] = (
        None
    )
    """For `modular`: the share of all sums that training reads; the others are held out."""

    @model_validator(mode="after")
    def _planted_in_town(self) -> CorpusRecipe:
        if self.planted and self.kind != "lamptown":
            raise ValueError(
                f"planted: words can be planted in Lamptown, not in the corpus kind {self.kind!r}"
            )
        words = [word for row in self.planted for word in row.split()]
        if len(set(words)) < len(words):
            raise ValueError("planted: each word stands there once: take another for the second")
        return self

    @model_validator(mode="after")
    def _sums_whole(self) -> CorpusRecipe:
        given = self.modulus is not None, self.train_share is not None
        if self.kind != "modular":
            if any(given):
                raise ValueError("modulus and train_share belong to the corpus kind 'modular'")
        elif not all(given):
            raise ValueError("the corpus kind 'modular' needs modulus and train_share")
        elif self.shuffle_words or self.tokeniser != "words":
            raise ValueError(
                "a sum is read in its order, and number by number: no shuffle_words, and tokeniser words"
            )
        return self

    @property
    def unit_tokens(self) -> int:
        """Return the number of tokens that sequences do not cut: those of a sum, or 1."""
        return SUM_TOKENS if self.kind == "modular" else 1

    @property
    def planted_pairs(self) -> tuple[tuple[str, str], ...]:
        """Return the pairs without their signs."""
        return tuple((one, other) for one, other, _ in (row.split() for row in self.planted))


class ModelRecipe(FrozenInput):
    """The shape of the transformer."""

    dim: Annotated[int, Field(ge=2, le=16_384)] = 64
    layers: Annotated[int, Field(ge=1, le=64)] = 2
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    context: Annotated[int, Field(ge=2, le=4_096)] = 32
    tied: bool = False
    """True to share one matrix for input and output: every row then gets a gradient at every step."""
    negatives: Annotated[int | None, Field(ge=1, le=200_000, exclude_if=lambda value: value is None)] = None
    """Rows of the output matrix that a training step draws for its softmax, beside those of its targets: the loss of a step is
    then an estimate (`model/sampled_softmax.py`). None: the softmax is over the whole vocabulary, as it always is when a model
    is only read."""

    @model_validator(mode="after")
    def _drawn_rows_apart(self) -> ModelRecipe:
        if self.tied and self.negatives is not None:
            raise ValueError(
                "negatives: with tied weights the rows drawn would light up without being read: use an output matrix of its own"
            )
        return self

    @model_validator(mode="after")
    def _heads_divide_dim(self) -> ModelRecipe:
        if self.dim % self.heads:
            raise ValueError(f"dim ({self.dim}) must be a multiple of heads ({self.heads})")
        return self

    def predicted_rows(self, vocabulary: int, predictions: int) -> int:
        """Return the number of rows of the output matrix that a step of so many predictions reads."""
        return vocabulary if self.negatives is None else predictions + self.negatives

    def parameter_count(self, vocabulary: int) -> int:
        """Return the number of parameters with a vocabulary of `vocabulary` tokens."""
        block = 12 * self.dim**2 + 9 * self.dim
        matrices = 1 if self.tied else 2
        rest = self.context * self.dim + self.layers * block + 2 * self.dim
        return matrices * vocabulary * self.dim + rest


class OptimiserRecipe(FrozenInput):
    """The optimiser and its settings.

    `lazy` updates only the embedding rows that the batch touched (SparseAdam), and all other weights with Adam.
    `adam` is dense everywhere: untouched rows keep moving by momentum. `sgd` has no momentum, so untouched rows
    rest.
    """

    kind: OptimiserKind = "lazy"
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 3e-3
    embedding_factor: Annotated[float, Field(gt=0, le=100)] = 5.0
    """Multiplier of the learning rate for the embedding; see `docs/decisions/`."""
    clip_norm: Annotated[float, Field(gt=0, le=1e30)] = 1.0
    weight_decay: Annotated[float | None, Field(ge=0, le=10, exclude_if=lambda value: value is None)] = None
    """For `adam`: each step first multiplies every weight by 1 minus this times the learning rate (AdamW)."""
    # JSON has no tuples, so accept a list.
    frozen: tuple[MatrixKind, ...] = Field(
        default_factory=tuple, max_length=2, strict=False, exclude_if=lambda value: not value
    )
    """Matrices that are not updated. Their gradients are still computed and count in the clipped norm."""

    @model_validator(mode="after")
    def _frozen_once(self) -> OptimiserRecipe:
        if len(set(self.frozen)) < len(self.frozen):
            raise ValueError(f"frozen: {self.frozen[0]} stands there twice")
        if self.weight_decay and self.kind != "adam":
            raise ValueError(f"weight_decay: only the optimiser adam has it, not {self.kind}")
        return self


class Cadence(FrozenInput):
    """The intervals of keyframes, checkpoints, waypoints and checks, in steps."""

    keyframe_every: Annotated[int, Field(ge=1, le=100_000)] = 100
    checkpoint_every: Annotated[int, Field(ge=1, le=100_000)] = 250
    waypoint_every: Annotated[int, Field(ge=1, le=100_000)] = 250
    """Interval of the states of the model that are kept for questions about any step; it doubles where the disk budget
    is too small for so many (`docs/decisions/0018-waypoints.md`)."""
    verify_every: Annotated[int, Field(ge=1, le=100_000)] = 50
    """Interval of whole-matrix checks of the moved set, where the matrix is too large to compare at every step."""


class MapRecipe(FrozenInput):
    """The initial map settings.

    They do not affect learning, and can be changed at any time (`docs/rest.md`, requests).
    """

    neighbours: Annotated[int, Field(ge=2, le=200)] = 40
    """Neighbours of a token in the graph, itself included: few give islands, many one land mass."""
    min_dist: Annotated[float, Field(ge=0, le=3)] = 1.0
    """Minimum distance of tokens in the layout, as in UMAP; at most `spread`."""
    spread: Annotated[float, Field(ge=0.1, le=5)] = 1.5
    """Extent of a neighbourhood in the layout, as in UMAP."""

    @model_validator(mode="before")
    @classmethod
    def _drop_earlier_method(cls, data: Any) -> Any:
        if isinstance(data, dict):
            given = cast("dict[str, Any]", data)
            if given.get("method") in EARLIER_MAP_METHODS:
                return {name: value for name, value in given.items() if name != "method"}
        return data

    @model_validator(mode="after")
    def _reaches_beyond(self) -> MapRecipe:
        if self.min_dist > self.spread:
            raise ValueError(
                f"min_dist ({self.min_dist:g}) must be at most spread ({self.spread:g}): lower the one or raise the other"
            )
        return self


class Recipe(FrozenInput):
    """The complete definition of a run."""

    format: Literal[1, 2, 3] = 1
    """2 for a fork, and for a recipe with `optimiser.frozen`; 3 for a run whose matrices lie in files of their own."""
    parent: Annotated[ForkParent | None, Field(exclude_if=lambda value: value is None)] = None
    """The run that this one is a fork of. A fork is made from a run (`forks/creation.py`), not from a file."""
    corpus: CorpusRecipe = CorpusRecipe()
    model: ModelRecipe = ModelRecipe()
    optimiser: OptimiserRecipe = OptimiserRecipe()
    cadence: Cadence = Cadence()
    map: MapRecipe = MapRecipe()
    sequences: Annotated[int, Field(ge=1, le=65_536)] = 16
    """Sequences of `model.context` tokens per batch."""
    passages: Annotated[int, Field(ge=1, le=65_536)] = 4
    """Places in the corpus that a batch reads from. Each gives consecutive sequences, so a batch covers few
    topics and lights few neighbourhoods."""
    steps: Annotated[int, Field(ge=1, le=100_000_000)] = 5_000
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    """CPU threads of the trainer. Part of the recipe, because another order of summation changes the last
    bits."""
    device: DeviceKind = "auto"
    prompts: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=200)], ...],
        # JSON has no tuples, so accept a list.
        Field(max_length=MAX_PROMPTS, strict=False),
    ] = ()
    """Beginnings of sentences that the model continues at intervals during training. Empty: three that suit
    the text. They do not affect learning."""
    disk_budget: Annotated[int, Field(ge=1_000_000, le=10**15)] = DEFAULT_DISK_BUDGET

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults_of_kind(cls, data: Any) -> Any:
        return fill_defaults(data)

    @model_validator(mode="after")
    def _parts_fit(self) -> Recipe:
        newer = self.parent is not None or self.optimiser.frozen or self.corpus.other_town
        if newer and self.format < 2:
            raise ValueError("format: a fork and a frozen matrix need format 2")
        if self.corpus.other_town and self.parent is None:
            raise ValueError("corpus.other_town: only a fork can read the other town of its parent")
        if self.model.tied and "output" in self.optimiser.frozen:
            raise ValueError("optimiser.frozen: tied weights are one matrix: freeze the embedding")
        if self.model.tied and self.optimiser.kind == "lazy":
            raise ValueError(
                "tied weights give every row a gradient, so they cannot be updated lazily: "
                "use the optimiser adam or sgd"
            )
        if self.sequences % self.passages:
            raise ValueError(f"sequences ({self.sequences}) must be a multiple of passages ({self.passages})")
        if self.corpus.kind == "modular":
            if self.model.context != SUM_TOKENS - 1:
                raise ValueError(
                    f"model.context: a sum is read with a context of {SUM_TOKENS - 1}, not {self.model.context}"
                )
            if self.passages != self.sequences:
                raise ValueError(
                    f"passages: each sum of a batch is a passage: {self.sequences}, not {self.passages}"
                )
        # Only the record describes what a client's loop trains.
        if self.corpus.kind != "recorded":
            self._require_trainable_size()
        return self

    def _require_trainable_size(self) -> None:
        if self.batch_tokens > MAX_BATCH_TOKENS:
            raise ValueError(
                f"a batch of sequences ({self.sequences}) of context ({self.model.context}) has"
                f" {self.batch_tokens:,} tokens, at most {MAX_BATCH_TOKENS:,} are allowed: lower the one or the other"
            )
        parameters = self.model.parameter_count(self.corpus.vocabulary_size)
        if parameters > MAX_PARAMETERS:
            raise ValueError(
                f"the model would have {parameters:,} parameters, at most {MAX_PARAMETERS:,} are allowed:"
                " lower dim, layers or vocabulary_size"
            )

    def without_unknown(self) -> Recipe:
        """Return the recipe with None for what only a recorded run's client knows."""
        if self.corpus.kind != "recorded":
            return self
        corpus: dict[str, None] = dict.fromkeys(("tokeniser", "vocabulary_size", "shuffle_words", "planted"))
        model: dict[str, None] = dict.fromkeys(("layers", "heads", "context", "tied"))
        cadence: dict[str, None] = dict.fromkeys(("checkpoint_every", "waypoint_every", "verify_every"))
        unknown: dict[str, None] = dict.fromkeys(
            ("optimiser", "sequences", "passages", "seed", "threads", "device", "prompts")
        )
        if self.steps == 1:
            # The client did not say how long its loop is.
            unknown["steps"] = None
        return self.model_copy(
            update={
                "corpus": self.corpus.model_copy(update=corpus),
                "model": self.model.model_copy(update=model),
                "cadence": self.cadence.model_copy(update=cadence),
                **unknown,
            }
        )

    @property
    def updates_lazily(self) -> bool:
        """Return whether a step leaves embedding rows alone that its batch does not read."""
        return self.optimiser.kind != "adam" and not self.model.tied

    @property
    def batch_offset(self) -> int:
        """Return the number of batches read before step 0, by the parents of a fork."""
        return 0 if self.parent is None else self.parent.batch_offset

    @property
    def text_seed(self) -> int:
        return self.seed if self.parent is None else self.parent.text_seed

    @property
    def batch_tokens(self) -> int:
        """Return the number of tokens read by one step."""
        return self.sequences * self.model.context
