"""The command `lamplighter runs`: list runs with their disk usage, trash them, remove them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.terminal import print_line
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import describe_fork
from lamplighter.runfolder.run_set import RunSet
from lamplighter.runfolder.run_store import NoSuchSetError, RunStore


@click.group("runs", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@common_options()
@click.pass_context
def runs_group(context: click.Context, runs_dir: Path, as_json: bool) -> None:
    """List, trash or remove runs."""
    if context.invoked_subcommand is not None:
        return
    run_store = RunStore(runs_dir)
    runs = run_store.runs()
    for run in runs:
        print_line(json.dumps(_facts(run)) if as_json else _line(run))
    if not as_json:
        if not runs:
            print_line(f"no runs in {runs_dir}/ yet; start one with: lamplighter, or lamplighter train")
        if trashed := run_store.trashed():
            size = sum(run.bytes_on_disk() for run in trashed)
            print_line(
                f"in the trash: {len(trashed)}, {_size(size)}; remove for good with: lamplighter runs remove --trashed"
            )


@runs_group.command("trash")
@click.argument("run_ids", metavar="RUN...", nargs=-1, required=True)
@common_options()
def trash_command(runs_dir: Path, run_ids: tuple[str, ...]) -> None:
    """Move runs, or sets with their members, to the trash folder."""
    run_store = RunStore(runs_dir)
    for run in [_find(run_store, run_id) for run_id in run_ids]:
        print_line(f"{run.id} -> {run_store.trash(run)}")


@runs_group.command("remove")
@click.argument("run_ids", metavar="RUN...", nargs=-1)
@click.option("--trashed", is_flag=True, help="Remove everything in the trash.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common_options()
def remove_command(runs_dir: Path, run_ids: tuple[str, ...], trashed: bool, yes: bool) -> None:
    """Remove runs, or sets with their members, for good."""
    run_store = RunStore(runs_dir)
    if not run_ids and not trashed:
        raise click.UsageError("name the runs to remove, or use --trashed for everything in the trash")
    runs = [_find(run_store, run_id) for run_id in run_ids]
    folders = [RunFolder(run.path) for run in runs] + (run_store.trashed() if trashed else [])
    size = _size(sum(folder.bytes_on_disk() for folder in folders))
    removed = ", ".join([run.id for run in runs] + (["the trash"] if trashed else []))
    if not yes:
        click.confirm(f"Remove {removed} ({size}) for good?", abort=True)
    for run in runs:
        run_store.remove(run)
    if trashed:
        run_store.empty_trash()
    print_line(f"removed {removed}")


def _find(run_store: RunStore, name: str) -> RunFolder | RunSet:
    try:
        return run_store.find_set(name)
    except NoSuchSetError:
        return run_store.find(name)


def _facts(run: RunFolder) -> dict[str, Any]:
    try:
        status = read_status(run).as_dict()
        parent = run.recipe.parent
        origin = None if parent is None else parent.model_dump(include={"run", "step", "name", "changes"})
        return {"id": run.id, "bytes": status.pop("bytes"), "problem": None, "parent": origin} | status
    except FormatError as error:
        return {"id": run.id, "bytes": run.bytes_on_disk(), "problem": str(error), "parent": None}


def _line(run: RunFolder) -> str:
    size = f"{_size(run.bytes_on_disk()):>9}"
    try:
        status = read_status(run)
    except FormatError as error:
        return f"{run.id:44} {'unreadable':12}{size}  {error}"
    phase = (
        status.phase
        if status.alive or status.has_ended or status.phase == Phase.WAITING
        else f"{status.phase}?"
    )
    loss = "" if status.loss is None else f"  loss {status.loss:.3f}"
    parent = run.recipe.parent
    origin = "" if parent is None else f"  {describe_fork(parent)}, a fork of {parent.run}"
    return f"{run.id:44} {phase:12}{size}  step {status.step} of {status.steps}{loss}{origin}"


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
