"""The question before an imported run is continued: its recipe is a stranger's, and takes what it says."""

from __future__ import annotations

import click

from lamplighter.model.training_demands import describe_demands
from lamplighter.runfolder.importing.imported_run import is_imported
from lamplighter.runfolder.run_folder import RunFolder


def confirm_imported(run: RunFolder) -> None:
    """Say what an imported run takes, and ask whether to continue it. Ask nothing of other runs.

    Raises:
        click.Abort: the answer was no.
        FormatError: this version cannot read the folder.
    """
    if is_imported(run):
        demands = describe_demands(run.recipe, len(run.vocabulary))
        click.confirm(
            f"{run.id} was imported. To continue it takes {demands}. Continue it? (--yes: do not ask)",
            abort=True,
            err=True,
        )
