"""The command `lamplighter check`: are the checkpoints of a training what they say?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from lamplighter.cli.checkpoints.fetching import (
    choice_options,
    choose_steps,
    fetch_options,
    fetch_source,
    is_on_web,
    parse_steps,
)
from lamplighter.cli.common import common_options
from lamplighter.cli.terminal import print_line, show_progress
from lamplighter.contract.recipe_file import RecipeError


@click.command("check")
@click.argument("sources", nargs=-1, required=True)
@click.option(
    "--steps", metavar="N,N,...", help="The step of each checkpoint.  [default: the number in its name]"
)
@click.option("--tensor", help="The name of the matrix, if there are several.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
@choice_options
@fetch_options
@common_options()
def check_command(
    runs_dir: Path,
    sources: tuple[str, ...],
    steps: str | None,
    tensor: str | None,
    as_json: bool,
    every: int | None,
    log: int | None,
    only: str | None,
    yes: bool,
    cache: Path | None,
) -> int:
    """Check whether the checkpoints of a training are what they say.

    SOURCES are as for `lamplighter series`. Found are: the same table or the same rows at two steps, a step out of line
    with its neighbours, a history that does not descend from its first step, other tokens or another order, numbers that
    are not finite, checkpoints that cannot be read, and steps missing from a grid.

    Exits with 1 if there is a problem, with 0 if there is none; notes are no problem.
    """
    from lamplighter.client.errors import InputError
    from lamplighter.client.histories.checked_sources import check_sources

    on_web = is_on_web(sources)
    choice = choose_steps(every, log, only, on_web=on_web)
    numbers = None if steps is None else parse_steps(steps)
    paths = tuple(map(Path, sources))
    found: Any = paths[0] if len(paths) == 1 else paths
    unread: dict[int, str] = {}
    if on_web:
        fetched = fetch_source(sources[0], choice, tensor, yes=yes, cache=cache, quiet=as_json)
        found, unread, tensor = fetched.folders, fetched.unread, fetched.tensor
    try:
        with show_progress("checking", quiet=as_json) as show:
            report = check_sources(
                found,
                steps=numbers,
                tensor=tensor,
                unread=unread,
                progress=show,
            )
    except InputError as error:
        raise RecipeError(str(error)) from error
    for line in [json.dumps(report.as_json())] if as_json else report.lines():
        print_line(line)
    return 1 if report.problems else 0
