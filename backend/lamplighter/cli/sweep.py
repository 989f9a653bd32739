"""The command `lamplighter sweep`: train a set of runs that differ in a few settings, mostly in the seed."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, confirm_imported, find_named_run, find_named_set
from lamplighter.cli.recipes import read_named_text, read_source_text
from lamplighter.cli.terminal import print_line
from lamplighter.contract.recipe import BUILT_IN_TEXTS, Recipe
from lamplighter.contract.recipe_file import RecipeError, load_recipe
from lamplighter.model.batches import require_enough_text
from lamplighter.platform.printable import escape_unprintable
from lamplighter.processes.sweep import Sweep, SweptMember, SweptMembers
from lamplighter.processes.worker import handle_stop_signals
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_set import (
    MAX_MEMBERS,
    SWEEP_ROLE,
    GridAxis,
    RunSet,
    Setting,
    describe_settings,
)
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.writing.set_creation import create_set

_BARS = 24
"""Maximum number of members with a bar of their own."""


class SweepBar:
    """The progress of a sweep on the terminal: a bar for each member, up to `_BARS` of them, and one for all."""

    def __init__(self, run_set: RunSet, *, quiet: bool) -> None:
        self._quiet, self._told = quiet, set[str]()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[what]}"),
            console=Console(stderr=True),
            disable=quiet,
            refresh_per_second=4,
        )
        self._tasks: dict[str, TaskID] = {}
        self._all = self._bar.add_task(run_set.id, total=len(run_set.facts.members), what="")

    def __enter__(self) -> SweepBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, members: Sequence[SweptMember]) -> None:
        """Show the members as they are now, and tell once of each that is over."""
        over = [one for one in members if one.over]
        failed = sum(not one.is_finished for one in over)
        self._bar.update(self._all, completed=len(over), what=f"{failed} failed" if failed else "")
        for one in members:
            if one.over and one.run.id not in self._told:
                self._told.add(one.run.id)
                if not self._quiet:
                    self._bar.console.print(escape_unprintable(_tell_end(one)), markup=False, highlight=False)
                if (task := self._tasks.pop(one.run.id, None)) is not None:
                    self._bar.remove_task(task)
            elif not one.over and one.status is not None and one.status.alive:
                self._show_one(one, one.status.step, one.status.steps, one.status.loss)

    def _show_one(self, one: SweptMember, step: int, steps: int, loss: float | None) -> None:
        if one.run.id not in self._tasks:
            if len(self._tasks) >= _BARS:
                return
            told = escape_unprintable(describe_settings(one.member.settings))
            self._tasks[one.run.id] = self._bar.add_task(told, total=steps, what="starting")
        what = "" if loss is None else f"loss {loss:.3f}"
        self._bar.update(self._tasks[one.run.id], completed=step, total=steps, what=what)


def _tell_end(one: SweptMember) -> str:
    told = f"{one.run.id} ({describe_settings(one.member.settings)})"
    if one.status is not None and one.is_finished:
        loss = "" if one.status.loss is None else f", loss {one.status.loss:.3f}"
        return f"{told}: {one.status.step:,} steps{loss}"
    return f"{told}: {one.problem}"


_POLL_SECONDS = 0.2
_RANGE = re.compile(r"(\d{1,10})\.\.(\d{1,10})")


@click.command("sweep")
@click.argument("recipe_name", metavar="[RECIPE]", required=False)
@click.option(
    "--of", "of_run", metavar="RUN", type=RUN_ID, help="Repeat a run, with its recipe and its text."
)
@click.option("--corpus", metavar="PATH|-", help="The text, for a recipe of the corpus kind text.")
@click.option("--seed", "seeds", metavar="0..9", help="The seeds: a range, or values separated by commas.")
@click.option(
    "--set",
    "settings",
    metavar="FIELD=A,B",
    multiple=True,
    help="Values of a field of the recipe, such as optimiser.learning_rate=0.001,0.01 or steps=1000. May be repeated:"
    " every combination is a run.",
)
@click.option("--name", help="The name of the set.")
@click.option(
    "--jobs",
    type=click.IntRange(0, 1_000),
    help="Trainings at a time; 0 makes the set and trains nothing.  [default: as many as cores]",
)
@click.option("--resume", metavar="SET", help="Go on with a set that was stopped, instead of making one.")
@click.option("--maps", is_flag=True, help="Lay out the map of each run afterwards, too.")
@click.option("--no-measures", is_flag=True, help="Do not compute the measures afterwards.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one summary line at the end, in JSON, and nothing else."
)
@click.option("--yes", is_flag=True, help="Do not ask before repeating an imported run.")
@common_options()
def sweep_command(
    runs_dir: Path,
    recipe_name: str | None,
    of_run: str | None,
    corpus: str | None,
    seeds: str | None,
    settings: tuple[str, ...],
    name: str | None,
    jobs: int | None,
    resume: str | None,
    maps: bool,
    no_measures: bool,
    as_json: bool,
    yes: bool,
) -> None:
    """Train a set of runs that differ in a few settings.

    RECIPE is a file in TOML, or lamptown, novels, manuals, modular or repeats. Ctrl-C stops every training after its step; --resume goes on. A
    training that fails is told, and the others go on.
    """
    store = RunStore(runs_dir)
    store.clear_leftovers()
    if resume is None:
        recipe, text = _recipe_and_text(runs_dir, recipe_name, of_run, corpus, yes=yes)
        grid = ([parse_axis(f"seed={seeds}")] if seeds else []) + [parse_axis(one) for one in settings]
        if all(len(axis.values) < 2 for axis in grid):
            raise click.UsageError("a set needs more than one run: give --seed 0..9, or --set FIELD=A,B")
        if text is not None:
            require_enough_text(recipe, text)
        try:
            run_set = create_set(store, recipe, grid, text, name)
        except RecipeError:
            raise
        except ValueError as error:
            raise click.UsageError(f"--name: {error}") from error
    elif recipe_name or of_run or corpus or seeds or settings or name:
        raise click.UsageError("--resume goes on with a set as it is: give it without what makes a set")
    else:
        run_set = find_named_set(runs_dir, resume)
    members = SweptMembers(run_set)
    if jobs == 0:
        _sum_up(run_set, members.read_all(), 0.0, runs_dir, as_json=as_json)
        return
    with RoleLock(run_set.path, SWEEP_ROLE):
        if resume is not None:
            members.ask_to_continue()
        threads = run_set.facts.recipe.threads
        at_once = jobs or max(1, (os.cpu_count() or 1) // threads)
        begun = time.monotonic()
        stopped = _train(run_set, at_once, quiet=as_json)
        seconds = time.monotonic() - begun
        roles = (() if no_measures else ("analyst",)) + (("projector",) if maps else ())
        if roles and not stopped:
            stopped = _finish(run_set, roles, at_once, quiet=as_json)
    _sum_up(run_set, members.read_all(), seconds, runs_dir, as_json=as_json)
    if stopped:
        raise click.exceptions.Exit(130)
    if not all(one.is_finished for one in members.read_all()):
        raise click.exceptions.Exit(1)


def parse_axis(text: str) -> GridAxis:
    """Return the axis that `FIELD=A,B` or `FIELD=0..9` describes. Raises RecipeError if it describes none."""
    field, sign, told = text.partition("=")
    if not sign or not field or len(field) > 100:
        raise RecipeError(f"--set {text[:80]!r}: write it as FIELD=VALUE, or FIELD=A,B for several values")
    if found := _RANGE.fullmatch(told):
        first, last = int(found[1]), int(found[2])
        if not first <= last < first + MAX_MEMBERS:
            raise RecipeError(f"{field}={told}: a range goes up, and has at most {MAX_MEMBERS} values")
        return GridAxis(field=field, values=list(range(first, last + 1)))
    return GridAxis(field=field, values=[_parse_value(value) for value in told.split(",")])


def _parse_value(text: str) -> Setting:
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        value = text.strip()
    return value if isinstance(value, bool | int | float) else text.strip()[:200]


def _recipe_and_text(
    runs_dir: Path, recipe_name: str | None, of_run: str | None, corpus: str | None, *, yes: bool
) -> tuple[Recipe, str | None]:
    if of_run is not None:
        if recipe_name is not None or corpus is not None:
            raise click.UsageError("--of repeats a run as it is: give neither RECIPE nor --corpus with it")
        run = find_named_run(runs_dir, of_run)
        if not yes:
            confirm_imported(run, "repeat it")
        return run.recipe, read_source_text(run, "nothing to train on")
    if recipe_name is None or recipe_name in BUILT_IN_TEXTS:
        recipe = Recipe.model_validate({"corpus": {"kind": recipe_name or "lamptown"}})
    else:
        recipe = load_recipe(Path(recipe_name))
    if corpus is None:
        if recipe.corpus.kind == "text":
            raise RecipeError("the recipe is for a text: name it with --corpus PATH")
        return recipe, None
    text, text_name = read_named_text(corpus)
    named = recipe.corpus.model_copy(update={"kind": "text", "name": text_name})
    return Recipe.model_validate(recipe.model_copy(update={"corpus": named}).model_dump()), text


def poll_until(
    show: AbstractContextManager[Any], poll: Callable[[], bool], stop: Callable[[], object]
) -> bool:
    """Call `poll` until it returns true or a signal stops this process, then `stop`. Return whether it was stopped."""
    signals: list[int] = []
    restore = handle_stop_signals(signals.append)
    try:
        with show:
            while not signals and not poll():
                time.sleep(_POLL_SECONDS)
    finally:
        stop()
        restore()
    return bool(signals)


def _train(run_set: RunSet, jobs: int, *, quiet: bool) -> bool:
    sweep, bar = Sweep(run_set, ("trainer",), jobs), SweepBar(run_set, quiet=quiet)

    def poll() -> bool:
        members = sweep.poll()
        bar.show(members)
        return all(one.over for one in members)

    return poll_until(bar, poll, sweep.stop)


def _finish(run_set: RunSet, roles: tuple[str, ...], jobs: int, *, quiet: bool) -> bool:
    sweep = Sweep(run_set, roles, jobs)
    made = " and maps" if "projector" in roles else ""
    if not quiet:
        print_line(f"{run_set.id}: making the measures{made}", err=True)

    def poll() -> bool:
        sweep.poll()
        return sweep.is_idle()

    return poll_until(nullcontext(), poll, sweep.stop)


def _sum_up(
    run_set: RunSet, members: Sequence[SweptMember], seconds: float, runs_dir: Path, *, as_json: bool
) -> None:
    finished = [one for one in members if one.is_finished]
    if as_json:
        told = [
            {
                "run": one.run.id,
                "settings": one.member.settings,
                "phase": None if one.status is None else one.status.state,
                "loss": None if one.status is None else one.status.loss,
                "problem": one.problem,
            }
            for one in members
        ]
        print_line(json.dumps({"id": run_set.id, "seconds": round(seconds, 1), "members": told}))
        return
    told = f"{run_set.id}: {len(finished)} of {len(run_set.facts.members)} trained"
    if len(finished) < len(members):
        print_line(f"{told}. Go on with: lamplighter sweep --resume {run_set.id}")
    else:
        print_line(f"{told}. See them with: lamplighter --runs {runs_dir}")
