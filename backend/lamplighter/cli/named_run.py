"""A run named on the command line by its id or the path of its folder, and a confirmation before an imported run is
used, because its recipe comes from a stranger and sets the resources it takes."""

from __future__ import annotations

import os
from pathlib import Path

import click

from lamplighter.model.training_demands import describe_demands
from lamplighter.runfolder.importing.imported_run import is_imported
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import RunSet
from lamplighter.runfolder.run_store import NoSuchSetError, RunStore


def find_named_run(runs_dir: Path, name: str) -> RunFolder:
    """Return the run with an id in the folder of runs, or at a path anywhere.

    Raises:
        NoSuchRunError: there is no such run.
    """
    path = Path(name)
    if ("/" in name or os.sep in name) and path.is_dir():
        path = path.resolve()
        return RunStore(path.parent).find(path.name)
    return RunStore(runs_dir).find(name)


def find_named_set(runs_dir: Path, name: str) -> RunSet:
    """Return the set with an id in the folder of runs, or at a path anywhere.

    Raises:
        NoSuchSetError: there is no such set.
    """
    path = Path(name)
    if ("/" in name or os.sep in name) and path.is_dir():
        path = path.resolve()
        return RunStore(path.parent).find_set(path.name)
    return RunStore(runs_dir).find_set(name)


def find_members(runs_dir: Path, name: str) -> list[RunFolder] | None:
    """Return the members of a named set that are there; None if the name is that of no set.

    Raises:
        FormatError: `set.json` cannot be read.
    """
    try:
        return [run for _, run in find_named_set(runs_dir, name).members() if run is not None]
    except NoSuchSetError:
        return None


def confirm_imported(run: RunFolder, aim: str = "continue it") -> None:
    """Ask for confirmation before using an imported run, naming the resources it takes. Other runs need none.

    Args:
        run: the run.
        aim: the purpose, as in "To continue it takes".

    Raises:
        click.Abort: the user declined. FormatError: this version cannot read the folder.
    """
    if is_imported(run):
        demands = describe_demands(run.recipe, len(run.vocabulary))
        click.confirm(
            f"{run.id} was imported. To {aim} takes {demands}. {aim.capitalize()}? (--yes: do not ask)",
            abort=True,
            err=True,
        )
