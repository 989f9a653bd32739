"""The run that a person names on the command line, by its id or by the path of its folder, and a question before an imported
one is used: its recipe is a stranger's, and takes what it says."""

from __future__ import annotations

import os
from pathlib import Path

import click

from lamplighter.model.training_demands import describe_demands
from lamplighter.runfolder.importing.imported_run import is_imported
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore


def find_named_run(runs_dir: Path, name: str) -> RunFolder:
    """Return the run of an id in the folder of runs, or of a path, wherever that is.

    Raises:
        NoSuchRunError: there is no such run.
    """
    path = Path(name)
    if ("/" in name or os.sep in name) and path.is_dir():
        path = path.resolve()
        return RunStore(path.parent).find(path.name)
    return RunStore(runs_dir).find(name)


def confirm_imported(run: RunFolder, aim: str = "continue it") -> None:
    """Say what an imported run takes, and ask whether to do what is wanted of it. Ask nothing of other runs.

    Args:
        run: the run.
        aim: what is wanted: "To ... it takes".

    Raises:
        click.Abort: the answer was no.
        FormatError: this version cannot read the folder.
    """
    if is_imported(run):
        demands = describe_demands(run.recipe, len(run.vocabulary))
        click.confirm(
            f"{run.id} was imported. To {aim} takes {demands}. {aim.capitalize()}? (--yes: do not ask)",
            abort=True,
            err=True,
        )
