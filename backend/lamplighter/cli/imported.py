"""The question before an imported run is continued: its recipe is a stranger's, and takes what it says."""

from __future__ import annotations

import click

from lamplighter.model.training_demands import estimate_demands
from lamplighter.runfolder.importing.checked_steps import IMPORTED_FACT
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsReader


def describe_demands(run: RunFolder) -> str:
    """Return what training a run takes on this machine, in words."""
    recipe = run.recipe
    demands = estimate_demands(recipe, len(run.vocabulary))
    threads = f"{demands.threads} CPU thread{'s' if demands.threads > 1 else ''}"
    layers = f"{recipe.model.layers} layer{'s' if recipe.model.layers > 1 else ''}"
    return (
        f"{threads} and about {demands.memory_bytes / 1e6:,.0f} MB of memory: {layers} of width {recipe.model.dim},"
        f" {demands.parameters:,} parameters, batches of {recipe.batch_tokens:,} tokens"
    )


def confirm_imported(run: RunFolder) -> None:
    """Say what an imported run takes, and ask whether to continue it. Ask nothing of other runs.

    Raises:
        click.Abort: the answer was no.
        FormatError: this version cannot read the folder.
    """
    try:
        with StepsReader(run.steps_path) as reader:
            imported = IMPORTED_FACT in reader.facts()
    except FileNotFoundError:
        return
    if imported:
        click.confirm(
            f"{run.id} was imported. To continue it takes {describe_demands(run)}. Continue it? (--yes: do not ask)",
            abort=True,
            err=True,
        )
