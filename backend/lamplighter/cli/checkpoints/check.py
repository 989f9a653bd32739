"""The command `lamplighter check`: are the checkpoints of a training what they say?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from lamplighter.cli.checkpoints.fetching import (
    choice_options,
    fetch_options,
    gather_sources,
    tensor_option,
    vocabulary_option,
)
from lamplighter.cli.common import common_options
from lamplighter.cli.terminal import print_lines, show_progress


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
