"""The command `lamplighter fork`: train a fork of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, confirm_imported, find_named_run
from lamplighter.cli.terminal import print_line
from lamplighter.cli.train import train_and_report
from lamplighter.corpora.textfile import read_text
from lamplighter.forks.creation import ForkRequest, create_fork
from lamplighter.runfolder.run_set import folder_beside
from lamplighter.runfolder.run_store import RunStore


@click.command("fork")
@click.argument("name", metavar="RUN", type=RUN_ID)
@click.option(
    "--at",
    type=click.IntRange(0),
    required=True,
    metavar="STEP",
    help="The step of the run that becomes step 0.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="A change, such as optimiser.learning_rate=0.01 (docs/forks.md).",
)
@click.option(
    "--freeze",
    multiple=True,
    type=click.Choice(["embedding", "output"]),
    help="A matrix that is not updated.",
)
@click.option(
    "--text",
    type=click.Path(path_type=Path),
    help="A text to read instead, with the words that the run knows.",
)
@click.option(
    "--plant",
    multiple=True,
    metavar="WORDS",
    help='Two words and their sign to plant: "robot android antenna".',
)
@click.option(
    "--steps",
    type=click.IntRange(1),
    help="Steps of the fork.  [default: as many as the run had left, at least 500]",
)
@click.option("--name", "title", help="A name for the fork.")
@click.option(
    "--no-train", is_flag=True, help="Only make the fork; a server trains it, or lamplighter train --resume."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one summary line at the end, in JSON, and nothing else."
)
@click.option("--yes", is_flag=True, help="Do not ask before forking an imported run.")
@common_options()
def fork_command(
    runs_dir: Path,
    name: str,
    at: int,
    settings: tuple[str, ...],
    freeze: tuple[str, ...],
    text: Path | None,
    plant: tuple[str, ...],
    steps: int | None,
    title: str | None,
    no_train: bool,
    as_json: bool,
    yes: bool,
) -> None:
    """Train a fork: a run whose step 0 is a step of RUN, with something changed. Without a change it is a control, equal to
    RUN bit for bit."""
    run = find_named_run(runs_dir, name)
    if not yes:
        confirm_imported(run, "fork it")
    changes = dict(map(_parse_setting, settings))
    given = {
        "optimiser.frozen": list(freeze),
        "corpus.kind": "text" if text is not None else "",
        "corpus.planted": list(plant),
    }
    for field, value in given.items():
        if value and changes.setdefault(field, value) != value:
            raise click.UsageError(f"{field} is given twice")
    request = ForkRequest(
        at,
        changes,
        steps,
        title,
        None if text is None else read_text(text),
        "" if text is None else text.name,
    )
    # Beside the run, because the page looks for the parent there.
    fork = create_fork(RunStore(folder_beside(run)), run, request)
    if no_train:
        print_line(json.dumps({"id": fork.id}) if as_json else fork.id)
        return
    if not as_json:
        print_line(f"{fork.id}: step 0 is step {at} of {run.id}", err=True)
    train_and_report(fork, runs_dir, quiet=as_json)


def _parse_setting(setting: str) -> tuple[str, Any]:
    """Return the field and the value of `FIELD=VALUE`; the value is JSON, or else a text."""
    field, equals, value = setting.partition("=")
    if not equals:
        raise click.UsageError(f"--set {setting}: write FIELD=VALUE, such as optimiser.learning_rate=0.01")
    try:
        return field.strip(), json.loads(value)
    except ValueError:
        return field.strip(), value.strip()
