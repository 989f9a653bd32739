"""The command `lamplighter runs`: list runs with their disk usage, open, compare, rename, trash and remove them."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from lamplighter.cli.command_table import CommandTable
from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, find_named_run, find_run_store
from lamplighter.cli.terminal import print_line
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import describe_fork, read_run_name, write_run_name
from lamplighter.runfolder.run_set import RunSet
from lamplighter.runfolder.run_store import NoSuchSetError, RunStore
from lamplighter.runfolder.step_numbers import read_step_numbers
from lamplighter.runfolder.tables.steps_reader import StepsReader

if TYPE_CHECKING:
    from lamplighter.serving.reading.run_list import RunOrder, RunState

_PORTS_ASKED, _PORTS = 8, 65_536
"""The number of ports at which a server is looked for, and that of all ports."""


# `compare` is `lamplighter diff` under the name that the page's list of runs uses: one implementation, the same options.
@click.group(
    "runs",
    cls=CommandTable,
    table={"compare": "asking.differences:diff_command"},
    invoke_without_command=True,
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@common_options()
@click.pass_context
def runs_group(context: click.Context, runs_dir: Path, as_json: bool) -> None:
    """List, open, compare, rename, trash or remove runs. Without a command, list them all."""
    if context.invoked_subcommand is None:
        run_store = RunStore(runs_dir)
        _print_runs(run_store, run_store.runs(), as_json=as_json)


@runs_group.command("list")
@click.option("--search", default="", help="Words of the name, or a part of the id.")
@click.option(
    "--state", "states", multiple=True, help="A phase, or unreadable; may be repeated.  [default: any]"
)
@click.option(
    "--sort",
    "order",
    default="created",
    show_default=True,
    type=click.Choice(["created", "loss", "steps", "name"]),
    help="Newest first, lowest loss first, most steps first, or by name.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@common_options()
def list_command(
    runs_dir: Path, search: str, states: tuple[RunState, ...], order: RunOrder, as_json: bool
) -> None:
    """List some runs, as the page's list does."""
    # The server's reading takes a second to import.
    from lamplighter.serving.reading.run_catalog import RunCatalog
    from lamplighter.serving.reading.run_list import RunState, select_runs, sort_runs

    if unknown := set(states) - set(known := get_args(RunState)):
        raise click.UsageError(f"--state: {min(unknown)} is none of {', '.join(known)}")
    run_store = RunStore(runs_dir)
    found = RunCatalog(run_store).list_runs(run_store.runs())
    folders = {one.run.id: one.run for one in found}
    chosen = sort_runs(select_runs([one.summary for one in found], search, states), order)
    _print_runs(run_store, [folders[one.id] for one in chosen], as_json=as_json)


@runs_group.command("open")
@click.argument("run_id", metavar="RUN", type=RUN_ID)
@common_options("port", "no_browser")
def open_command(runs_dir: Path, run_id: str, port: int, no_browser: bool) -> None:
    """Open the page on a run: that of a server which has it, or else start one, as lamplighter serve does.

    A server is looked for on this machine, at --port and the ports after it that a server takes when that is taken.
    """
    from lamplighter.cli.serve import serve_run
    from lamplighter.client.watching.serving_address import find_server

    run = find_named_run(runs_dir, run_id)
    for tried in range(port, min(port + _PORTS_ASKED, _PORTS)):
        if tried and (address := find_server(run.path, f"http://127.0.0.1:{tried}")) is not None:
            print_line(f"{run.id} is at {address}")
            if not no_browser:
                webbrowser.open(address)
            return
    serve_run(run, port=port, no_browser=no_browser)


@runs_group.command("rename")
@click.argument("run_id", metavar="RUN", type=RUN_ID)
@click.argument("name")
@common_options()
def rename_command(runs_dir: Path, run_id: str, name: str) -> None:
    """Change the name that people read. The id stays."""
    run = find_named_run(runs_dir, run_id)
    try:
        write_run_name(run.path, name)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    print_line(f"{run.id} is named {read_run_name(run)}")


def _print_runs(run_store: RunStore, runs: list[RunFolder], *, as_json: bool) -> None:
    for run in runs:
        print_line(json.dumps(_facts(run)) if as_json else _line(run))
    if not as_json:
        if not runs and run_store.runs():
            print_line("no run matches; list all with: lamplighter runs")
        elif not runs:
            print_line(f"no runs in {run_store.path} yet; start one with: lamplighter, or lamplighter train")
        if trashed := run_store.trashed():
            size = sum(run.bytes_on_disk() for run in trashed)
            print_line(
                f"in the trash: {len(trashed)}, {_size(size)}; remove for good with: lamplighter runs remove --trashed"
            )


@runs_group.command("trash")
@click.argument("run_ids", metavar="RUN...", type=RUN_ID, nargs=-1, required=True)
@common_options()
def trash_command(runs_dir: Path, run_ids: tuple[str, ...]) -> None:
    """Move runs, or sets with their members, to the trash folder."""
    run_store = find_run_store(runs_dir)
    for run in [_find(run_store, run_id) for run_id in run_ids]:
        print_line(f"{run.id} -> {run_store.trash(run)}")


@runs_group.command("remove")
@click.argument("run_ids", metavar="RUN...", type=RUN_ID, nargs=-1)
@click.option("--trashed", is_flag=True, help="Remove everything in the trash.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common_options()
def remove_command(runs_dir: Path, run_ids: tuple[str, ...], trashed: bool, yes: bool) -> None:
    """Remove runs, or sets with their members, for good."""
    run_store = find_run_store(runs_dir)
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
    loss = "" if status.loss is None else f"  loss {status.loss:.3f}"
    parent = run.recipe.parent
    origin = "" if parent is None else f"  {describe_fork(parent)}, a fork of {parent.run}"
    name = read_run_name(run)
    named = "" if name is None else f"  {name}"
    step, end = _in_numbers_of_loop(run, status.step, status.steps)
    return f"{run.id:44} {status.state:12}{size}  step {step} of {end}{loss}{origin}{named}"


def _in_numbers_of_loop(run: RunFolder, *steps: int) -> tuple[int, ...]:
    """Return steps of a record in the numbers of the loop that it was recorded from, where they are known."""
    if not run.steps_path.exists():
        return steps
    with StepsReader(run.steps_path) as reader:
        numbers = read_step_numbers(reader.facts())
    return tuple(step if (number := numbers.number_of(step)) is None else number for step in steps)


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
