"""The question before an imported run is continued or asked: its recipe is a stranger's, and takes what it says."""

from __future__ import annotations

import click

from lamplighter.model.training_demands import describe_demands
from lamplighter.runfolder.importing.imported_run import is_imported
from lamplighter.runfolder.run_folder import RunFolder


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
