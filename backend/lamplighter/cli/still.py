"""The command `lamplighter still`: a checkpoint's embedding matrix as a finished run."""

from __future__ import annotations

from pathlib import Path

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.terminal import print_line
from lamplighter.recipe import RecipeError
from lamplighter.runfolder.run_store import RunStore


@click.command("still")
@click.argument("embedding", type=click.Path(path_type=Path))
@click.argument("vocabulary", type=click.Path(path_type=Path))
@click.option("--tensor", help="Which tensor of a safetensors file, where it has several.")
@click.option("--name", help="What to call the run.  [default: the embedding's file name]")
@common_options()
def still_command(
    runs_dir: Path, embedding: Path, vocabulary: Path, tensor: str | None, name: str | None
) -> None:
    """Show an EMBEDDING (npy or safetensors) with its VOCABULARY (a token a line, TSV, or JSON)."""
    from lamplighter.client.checkpoint_run import still
    from lamplighter.client.errors import InputError

    try:
        run = still(RunStore(runs_dir).path / (name or embedding.stem), embedding, vocabulary, tensor=tensor)
    except (InputError, FileExistsError) as error:
        raise RecipeError(str(error)) from error
    print_line(f"{run.id}: see it with: lamplighter --runs {runs_dir}")
