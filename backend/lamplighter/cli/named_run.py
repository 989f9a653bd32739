"""A run named on the command line by its id or the path of its folder, and a confirmation before an imported run is
used, because its recipe comes from a stranger and sets the resources it takes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from lamplighter.cli.common import DEFAULT_RUNS
from lamplighter.model.training_demands import describe_demands
from lamplighter.runfolder.importing.imported_run import is_imported
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import read_run_name
from lamplighter.runfolder.run_set import RunSet, Setting
from lamplighter.runfolder.run_store import NoSuchSetError, RunStore

_MOST_COMPLETED = 200
"""The largest number of ids that a shell is given; more would scroll away what was typed."""


class _RunId(click.ParamType[str]):
    """The id of a run or a set, or the path of its folder; a shell completes it. Whether it exists, each command checks."""

    name = "run"

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:
        return "lamplighter runs lists them."

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the ids that begin so, the newest first, each with the run's name; nothing is created or changed."""
        if os.sep in incomplete:
            return [CompletionItem(incomplete, type="dir")]
        folder = ctx.params.get("runs_dir") or DEFAULT_RUNS
        if not isinstance(folder, Path) or not folder.is_dir():
            return []
        store = RunStore(folder)
        given = ctx.params.get(param.name or "")
        named = given if isinstance(given, (tuple, list)) else ()
        found = [
            one
            for one in (*store.runs(), *store.sets())
            if one.id.startswith(incomplete) and one.id not in named
        ]
        return [
            CompletionItem(one.id, help=read_run_name(one) if isinstance(one, RunFolder) else "a set")
            for one in found[:_MOST_COMPLETED]
        ]


RUN_ID = _RunId()
"""The type of each parameter that names a run."""


def find_named_run(runs_dir: Path, name: str) -> RunFolder:
    """Return the run with an id in the folder of runs, or at a path anywhere. Raises NoSuchRunError."""
    store, run_id = _locate(runs_dir, name)
    return store.find(run_id)


def find_named_set(runs_dir: Path, name: str) -> RunSet:
    """Return the set with an id in the folder of runs, or at a path anywhere. Raises NoSuchSetError."""
    store, set_id = _locate(runs_dir, name)
    return store.find_set(set_id)


def _locate(runs_dir: Path, name: str) -> tuple[RunStore, str]:
    path = Path(name)
    if ("/" in name or os.sep in name) and path.is_dir():
        path = path.resolve()
        return RunStore(path.parent), path.name
    return find_run_store(runs_dir, f"there is no run {name[:80]!r}: "), name


def find_run_store(runs_dir: Path, therefore: str = "") -> RunStore:
    """Return the store of a folder of runs. `therefore`: the beginning of the sentence that says it is not
    there; it is not made here."""
    if not runs_dir.is_dir():
        raise click.ClickException(
            f"{therefore}the folder {runs_dir} is not there; name the folder of runs with --runs"
        )
    return RunStore(runs_dir)


def find_members(runs_dir: Path, name: str) -> list[tuple[Mapping[str, Setting], RunFolder]] | None:
    """Return the members of a named set that are there, with their settings; None if the name is that of no
    set."""
    try:
        found = find_named_set(runs_dir, name).members()
        return [(member.settings, run) for member, run in found if run is not None]
    except NoSuchSetError:
        return None


def confirm_imported(run: RunFolder, aim: str = "continue it") -> None:
    """Ask for confirmation before using an imported run, naming the resources it takes: "To continue it
    takes" (`aim`)."""
    if is_imported(run):
        demands = describe_demands(run.recipe, len(run.vocabulary))
        click.confirm(
            f"{run.id} was imported. To {aim} takes {demands}. {aim.capitalize()}? (--yes: do not ask)",
            abort=True,
            err=True,
        )
