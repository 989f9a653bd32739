"""The commands about checkpoints: `lamplighter still`, an embedding as a finished run; `lamplighter series`, the checkpoints
of a training as one, with a map of each; and `lamplighter check`: are they what they say?
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lamplighter.cli.checkpoints.fetching import (
    choice_options,
    fetch_options,
    gather_sources,
    only_option,
    tensor_option,
    vocabulary_option,
)
from lamplighter.cli.common import common_options
from lamplighter.cli.terminal import print_line, print_lines, show_progress
from lamplighter.contract.recipe_file import RecipeError
from lamplighter.runfolder.run_store import RunStore, run_id_of

if TYPE_CHECKING:
    from lamplighter.client.run import Run

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


_CHOICE = ("steps", "every", "log", "only", "yes", "cache")


@click.command("series")
@click.argument("sources", nargs=-1, required=True)
@click.option("--no-maps", is_flag=True, help="Do not lay out the maps of the past now.")
@choice_options
@fetch_options
@embedding_options
@common_options()
def series_command(
    runs_dir: Path,
    sources: tuple[str, ...],
    vocabulary: Path | None,
    no_maps: bool,
    name: str | None,
    tensor: str | None,
    **options: Any,
) -> None:
    """Show the checkpoints of a training as a run that can be replayed.

    SOURCES is a folder with checkpoint-10, checkpoint-20, ... or files such as step-10.npy; or the checkpoints
    themselves, each in a format that `lamplighter still` accepts. Or it is one address: hf://ORG/NAME@step* for the
    revisions of a model on the Hugging Face Hub, or https://... for a folder with a listing.txt. A checkpoint of
    another shape than most is left out, and named.
    """
    from lamplighter.client.checkpoint_run import record_series
    from lamplighter.client.errors import InputError
    from lamplighter.client.sources.source_names import free_run_path
    from lamplighter.processes.child_job import ReprojectionFailedError, reproject_in_child

    store = RunStore(runs_dir).path
    found = gather_sources(sources, tensor, **{key: options.pop(key) for key in _CHOICE})
    path = store / run_id_of(name) if name else free_run_path(store, found.name)
    with show_progress("reading") as show:
        try:
            run, report = record_series(
                path,
                found.sources,
                vocabulary,
                steps=found.steps,
                tensor=found.tensor,
                origin=found.origin,
                unread=found.unread,
                progress=show,
                tell=print_line,
                **options,
            )
        except (InputError, FileExistsError) as error:
            raise RecipeError(str(error)) from error
    problem = None
    if not no_maps:
        with show_progress("maps") as show:
            try:
                reproject_in_child(run.folder, show)
            except ReprojectionFailedError as error:
                problem = str(error)
    print_line(run.status.message)
    print_lines(report.lines())
    print_line(describe_stayed(run))
    print_line(f"{run.id}: see it with: lamplighter --runs {runs_dir}")
    if no_maps or problem:
        why = f"its maps are not laid out: {problem}" if problem else "to lay out its maps of the past"
        print_line(f"{why}; lay them out with: lamplighter --runs {runs_dir} project {run.id} --again")


_MAX_NAMED = 12
_MAX_NAME = 40
_CLEARLY_SHORTER = 0.995
_GAP = 3.0
"""So many times what rounding gives lies between rows that were read and others, if there is a gap."""


def describe_stayed(run: Run) -> str:
    """Return how many rows of a series stayed where they began, how clearly they stand apart, and some of their tokens."""
    from lamplighter.geometry.stayed_rows import measure_stayed

    last = run.snapshot_steps().tolist()[-1]
    first_number, last_number = run.step_number(0) or 0, run.step_number(last) or last
    found = measure_stayed(run.open_snapshot(0), run.open_snapshot(last), last_number - first_number)
    ids, rows = found.ids, len(found.turned)
    if not len(ids):
        return f"each of the {rows:,} rows has turned since step {first_number:,}"
    most = float(found.limit[ids].max())
    told = f"{len(ids):,} of {rows:,} rows have turned since step {first_number:,} by no more than rounding can turn them"
    if not math.isnan(found.nearest_other):
        is_gap = found.nearest_other >= _GAP * most
        told += ": training never read them" if is_gap else ", and there is no gap, so it may have read some"
        told += (
            f"; rounding turns them by {most:.2g} degrees at most,"
            f" and every other row has turned by {found.nearest_other:.2g} or more"
        )
    if found.median_scale < _CLEARLY_SHORTER:
        told += f"; weight decay has shrunk them to {found.median_scale:.0%}"
    named = ", ".join(repr(run.tokens[row][:_MAX_NAME]) for row in ids[:_MAX_NAMED].tolist())
    return f"{told}: {named}{', ...' if len(ids) > _MAX_NAMED else ''}"


@click.command("check")
@click.argument("sources", nargs=-1, required=True)
@vocabulary_option
@tensor_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
@choice_options
@fetch_options
@common_options()
def check_command(
    runs_dir: Path,
    sources: tuple[str, ...],
    vocabulary: Path | None,
    tensor: str | None,
    as_json: bool,
    **choice: Any,
) -> int:
    """Check whether the checkpoints of a training are what they say.

    SOURCES are as for `lamplighter series`. Found are: the same table, or a part of it, at two steps, a step out of line
    with its neighbours, steps that are swapped or reversed, rows that change places, another unit, a history that does not
    descend from its first step, another size, other tokens or another order, numbers that are not finite, checkpoints that
    cannot be read, and steps missing from a grid.

    Exits with 1 if there is a problem, with 0 if there is none; notes are no problem.
    """
    from lamplighter.client.histories.checked_sources import check_sources

    found = gather_sources(sources, tensor, quiet=as_json, **choice)
    with show_progress("checking", quiet=as_json) as show:
        report = check_sources(
            found.sources,
            vocabulary,
            steps=found.steps,
            tensor=found.tensor,
            unread=found.unread,
            progress=show,
        )
    print_lines([json.dumps(report.as_json())] if as_json else report.lines())
    return 1 if report.problems else 0
