"""The command `lamplighter series`: the checkpoints of a training as a finished run, with a map of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lamplighter.cli.checkpoints.still import embedding_options
from lamplighter.cli.common import common_options
from lamplighter.cli.terminal import make_progress_bar, print_line
from lamplighter.contract.recipe_file import RecipeError
from lamplighter.runfolder.run_store import RunStore, run_id_of


@click.command("series")
@click.argument("sources", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--vocabulary",
    type=click.Path(path_type=Path),
    help="The tokens, if the checkpoints have none: tokenizer.json, one token per line, TSV or JSON.",
)
@click.option(
    "--steps", metavar="N,N,...", help="The step of each checkpoint.  [default: the number in its name]"
)
@click.option("--no-maps", is_flag=True, help="Do not lay out the maps of the past now.")
@embedding_options
@common_options()
def series_command(
    runs_dir: Path,
    sources: tuple[Path, ...],
    vocabulary: Path | None,
    steps: str | None,
    no_maps: bool,
    name: str | None,
    **options: Any,
) -> None:
    """Show the checkpoints of a training as a run that can be replayed.

    SOURCES is a folder with checkpoint-10, checkpoint-20, ... or files such as step-10.npy; or the checkpoints
    themselves, each in a format that `lamplighter still` accepts.
    """
    from lamplighter.client.errors import InputError
    from lamplighter.client.series_run import record_series
    from lamplighter.client.sources.source_names import free_run_path, name_source
    from lamplighter.processes.reprojection_job import ReprojectionFailedError, reproject_in_child

    store = RunStore(runs_dir).path
    around = sources[0] if len(sources) == 1 else sources[0].absolute().parent
    path = store / run_id_of(name) if name else free_run_path(store, name_source(around))
    numbers = None if steps is None else parse_steps(steps)
    with make_progress_bar() as bar:
        task = bar.add_task("reading", total=1.0)

        def on_progress(share: float, _what: str) -> None:
            bar.update(task, completed=share)

        try:
            found: Any = sources[0] if len(sources) == 1 else sources
            run, report = record_series(
                path, found, vocabulary, steps=numbers, progress=on_progress, **options
            )
        except (InputError, FileExistsError) as error:
            raise RecipeError(str(error)) from error
        problem = None
        if not no_maps:
            bar.update(task, description="maps", completed=0.0)
            try:
                reproject_in_child(run.folder, on_progress)
            except ReprojectionFailedError as error:
                problem = str(error)
    print_line(run.status.message)
    for line in report.lines():
        print_line(line)
    print_line(f"{run.id}: see it with: lamplighter --runs {runs_dir}")
    if no_maps or problem:
        why = f"its maps are not laid out: {problem}" if problem else "to lay out its maps of the past"
        print_line(f"{why}; lay them out with: lamplighter --runs {runs_dir} project {run.id} --again")


def parse_steps(text: str) -> list[int]:
    """Return the steps in a list with commas.

    Raises:
        UsageError: it is not one.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) < 12 for part in parts):
        raise click.UsageError("--steps takes whole numbers separated by commas: --steps 10,20,30")
    return [int(part) for part in parts]
