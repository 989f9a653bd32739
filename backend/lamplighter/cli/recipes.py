"""Command-line options for recipes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from lamplighter.claims.control import make_control_recipe
from lamplighter.contract.recipe import BUILT_IN_TEXTS, Recipe
from lamplighter.contract.recipe_file import RecipeError, load_recipe
from lamplighter.contract.strict_input import explain_validation_error
from lamplighter.corpora.corpus import CorpusError
from lamplighter.corpora.lexicon_parser import read_lexicon
from lamplighter.corpora.planted import parse_planted, plant
from lamplighter.corpora.textfile import decode_text, read_text
from lamplighter.runfolder.run_folder import RunFolder

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--recipe", type=click.Path(path_type=Path), help="A recipe in TOML; options replace its values."),
    click.option("--corpus", metavar="lamptown|novels|manuals|modular|repeats|PATH|-", help="What to read; - is standard input.  [default: lamptown]"),
    click.option("--steps", type=int, help=f"Number of training steps.  [default: {Recipe().steps}]"),
    click.option("--vocabulary", type=int, help="Largest vocabulary, in tokens.  [default: 4000]"),
    click.option("--tokeniser", type=click.Choice(["words", "bpe"]), help="[default: words]"),
    click.option("--shuffle-words", is_flag=True, default=None, help="The control: shuffle the words inside each document."),
    click.option("--plant", metavar="FILE", type=click.Path(path_type=Path), help="A file of word pairs to plant in Lamptown: two words and their common sign on each line (docs/course.md)."),
    click.option("--dim", type=int, help="Width of the model, in numbers per token.  [default: 64]"),
    click.option("--layers", type=int, help="Number of blocks.  [default: 2]"),
    click.option("--heads", type=int, help="Attention heads per block.  [default: 4]"),
    click.option("--negatives", type=int, metavar="N", help="Sampled softmax: each step reads N drawn rows of the output matrix, and its loss is an estimate.  [default: all rows]"),
    click.option("--context", type=int, help="Tokens per sequence.  [default: 32]"),
    click.option("--batch", type=int, help="Sequences per step.  [default: 16]"),
    click.option("--optimiser", type=click.Choice(["lazy", "adam", "sgd"]), help="lazy updates only the rows that a batch touched.  [default: lazy]"),
    click.option("--tied", is_flag=True, default=None, help="Use one matrix for input and output (the optimizer is then adam by default)."),
    click.option("--learning-rate", type=float, help="[default: 0.003]"),
    click.option("--weight-decay", type=float, help="Of the optimiser adam: each step shrinks every weight by this times the learning rate.  [default: 0]"),
    click.option("--seed", type=int, help="[default: 0]"),
    click.option("--threads", type=int, help="CPU threads of the trainer.  [default: 1]"),
    click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), help="[default: auto]"),
    click.option("--keyframe-every", type=int, metavar="STEPS", help="Steps between two full matrices.  [default: 100]"),
    click.option("--map-neighbours", type=int, help="Nearest neighbours per token on the map.  [default: 40]"),
    click.option("--map-min-dist", type=float, help="Minimum distance of tokens on the map.  [default: 1.0]"),
    click.option("--map-spread", type=float, help="Spread of a neighbourhood on the map.  [default: 1.5]"),
    click.option("--disk-budget", type=float, metavar="MB", help="Maximum disk space of the run.  [default: 1000]"),
)  # fmt: skip


_PLACES = {
    **{name: name for name in ("steps", "seed", "threads", "device")},
    "vocabulary": "corpus.vocabulary_size",
    **{name: f"corpus.{name}" for name in ("tokeniser", "shuffle_words")},
    **{name: f"model.{name}" for name in ("dim", "layers", "heads", "context", "tied", "negatives")},
    "optimiser": "optimiser.kind",
    **{name: f"optimiser.{name}" for name in ("learning_rate", "weight_decay")},
    "keyframe_every": "cadence.keyframe_every",
    **{f"map_{name}": f"map.{name}" for name in ("neighbours", "min_dist", "spread")},
}
"""The field of the recipe that an option sets as it is."""


def recipe_options(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def make_recipe(options: dict[str, Any]) -> tuple[Recipe, str | None]:
    """Return the recipe that the options of `recipe_options` describe, and the text of a custom corpus.
    Raises RecipeError."""
    path: Path | None = options["recipe"]
    corpus: str | None = options["corpus"]
    text: str | None = None
    if path:
        fields = load_recipe(path).model_dump()
    else:
        kind = corpus if corpus in BUILT_IN_TEXTS else "lamptown"
        fields = Recipe.model_validate({"corpus": {"kind": kind}}).model_dump()
    if corpus in BUILT_IN_TEXTS:
        fields["corpus"]["kind"] = corpus
    elif corpus is not None:
        text, name = read_named_text(corpus)
        fields["corpus"] |= {"kind": "text", "name": name}
    elif fields["corpus"]["kind"] == "text":
        raise RecipeError("the recipe is for a text: name it with --corpus PATH")

    for name, place in _PLACES.items():
        if options[name] is not None:
            part, _, field = place.rpartition(".")
            (fields[part] if part else fields)[field] = options[name]
    if options["plant"] is not None:
        fields["corpus"]["planted"] = _read_planted(options["plant"])
    if options["tied"] and options["optimiser"] is None and fields["optimiser"]["kind"] == "lazy":
        fields["optimiser"]["kind"] = "adam"
    if options["batch"] is not None:
        fields["sequences"] = options["batch"]
        wanted = options["batch"] if fields["corpus"]["kind"] == "modular" else fields["passages"]
        fields["passages"] = _passages(options["batch"], wanted)
    if options["disk_budget"] is not None:
        if not 1 <= options["disk_budget"] <= 1e9:
            raise RecipeError(f"--disk-budget: {options['disk_budget']} is not a number of MB from 1 to 1e9")
        fields["disk_budget"] = round(options["disk_budget"] * 1e6)
    try:
        return Recipe.model_validate(fields), text
    except ValidationError as error:
        raise RecipeError(explain_validation_error(error)) from error


def make_control(run: RunFolder, steps: int | None) -> tuple[Recipe, str | None]:
    """Return the recipe of a run's control, and the run's text if its corpus is custom. `steps`: None: as
    many as the run's.

    Raises RecipeError if the run has no control that could be trained here, or the number of steps is not
    allowed.
    """
    recipe = run.recipe
    if recipe.corpus.kind == "recorded":
        raise RecipeError(
            f"{run.id} was recorded from an external training loop, so its control cannot be trained here"
        )
    if recipe.corpus.kind == "modular":
        raise RecipeError(
            f"{run.id} reads sums, whose control is a run without weight decay: --weight-decay 0"
        )
    if recipe.parent is not None:
        raise RecipeError(
            f"{run.id} is a fork, whose control is a fork of {recipe.parent.run} without a change"
        )
    if recipe.corpus.shuffle_words:
        raise RecipeError(f"{run.id} is itself a control: its words are already shuffled")
    text = read_source_text(run, "nothing to shuffle")
    try:
        # Copying a recipe does not validate the number of steps.
        return Recipe.model_validate(make_control_recipe(recipe, steps).model_dump()), text
    except ValidationError as error:
        raise RecipeError(explain_validation_error(error)) from error


def read_source_text(run: RunFolder, lack: str) -> str | None:
    """Return the text of a run whose corpus is custom; None for the others. If it cannot be read, there is
    `lack`."""
    if run.recipe.corpus.kind != "text":
        return None
    try:
        return run.source_path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"the text of {run.id} cannot be read, so there is {lack}") from error


def read_named_text(corpus: str) -> tuple[str, str]:
    """Return the text in a file, `-` for standard input, and its name."""
    try:
        if corpus == "-":
            return decode_text(sys.stdin.buffer.read(), "standard input"), "standard input"
        return read_text(Path(corpus)), Path(corpus).name
    except CorpusError as error:
        raise RecipeError(str(error)) from error


def _passages(sequences: int, wanted: int) -> int:
    """Return the largest number of passages up to `wanted` that divides the batch."""
    return next((n for n in range(min(wanted, sequences), 0, -1) if sequences % n == 0), 1)


def _read_planted(path: Path) -> tuple[str, ...]:
    try:
        rows = parse_planted(read_text(path), path.name)
        plant(read_lexicon(), rows)
    except CorpusError as error:
        raise RecipeError(str(error)) from error
    return rows
