"""The command `lamplighter still`: an existing embedding as a finished run; and the options shared with `series`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from lamplighter.cli.checkpoints.fetching import (
    fetch_options,
    gather_sources,
    only_option,
    tensor_option,
    vocabulary_option,
)
from lamplighter.cli.common import common_options
from lamplighter.cli.terminal import print_line, show_progress
from lamplighter.contract.recipe_file import RecipeError
from lamplighter.runfolder.run_store import RunStore, run_id_of

Command = TypeVar("Command", bound=Callable[..., Any])


def embedding_options(command: Command) -> Command:
    for option in (
        vocabulary_option,
        tensor_option,
        click.option("--name", help="Name of the run.  [default: the name of the folder or file]"),
        click.option(
            "--columns",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="A table about the tokens (csv, tsv, parquet); one of its columns colours the map.",
        ),
        click.option(
            "--landmarks",
            metavar="norm|FILE",
            help="Which tokens of a vocabulary of 60,000 or more the map lays out: norm, those with the longest rows, or"
            " those in a file, one in each line.  [default: the most frequent]",
        ),
        click.option("--colour", metavar="COLUMN", help="The column to use.  [default: the first]"),
    ):
        command = option(command)
    return command


@click.command("still")
@click.argument("embedding")
@click.argument("tokens", metavar="[VOCABULARY]", type=click.Path(path_type=Path), required=False)
@only_option
@fetch_options
@embedding_options
@common_options()
def still_command(
    runs_dir: Path,
    embedding: str,
    tokens: Path | None,
    vocabulary: Path | None,
    name: str | None,
    tensor: str | None,
    only: str | None,
    yes: bool,
    cache: Path | None,
    **options: Any,
) -> None:
    """Show an EMBEDDING as a still map.

    EMBEDDING is a model folder (config.json, model.safetensors, tokenizer.json), a .safetensors, .npy or .npz file,
    word vectors (word2vec, GloVe), a folder of the Embedding Projector, hf://ORG/NAME[@REVISION] for a model on the
    Hugging Face Hub, or the https:// address of a .safetensors file; of a folder with checkpoints, --only names one.
    VOCABULARY, needed if it has no tokens, is a tokenizer.json, or a file with one token per line, TSV or JSON; it may
    also be given as --vocabulary.
    """
    from lamplighter.client.checkpoint_run import still
    from lamplighter.client.errors import InputError
    from lamplighter.client.sources.source_names import free_run_path

    if tokens is not None and vocabulary is not None:
        raise click.UsageError("the vocabulary is given twice")
    store = RunStore(runs_dir).path
    found = gather_sources((embedding,), tensor, only=only, yes=yes, cache=cache, single=True)
    path = store / run_id_of(name) if name else free_run_path(store, found.name)
    try:
        with show_progress("reading"):
            run = still(
                path,
                found.sources,
                vocabulary or tokens,
                tensor=found.tensor,
                origin=found.origin,
                tell=print_line,
                **options,
            )
    except (InputError, FileExistsError) as error:
        raise RecipeError(str(error)) from error
    print_line(run.status.message)
    print_line(f"{run.id}: see it with: lamplighter --runs {runs_dir}")
