"""The commands `lamplighter train`, with a progress bar or watching a folder for new runs, and `lamplighter fork`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lamplighter.cli.common import DEFAULT_RUNS, common_options
from lamplighter.cli.energy import describe_energy, watts_option
from lamplighter.cli.named_run import RUN_ID, confirm_imported, find_named_run
from lamplighter.cli.pushing import push_options, read_server
from lamplighter.cli.recipes import make_control, make_recipe, recipe_options
from lamplighter.cli.terminal import print_line
from lamplighter.cli.workers import watch_option, watch_role
from lamplighter.client.pushing.worker import PushProcess
from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.textfile import read_text
from lamplighter.forks.creation import ForkRequest, create_fork
from lamplighter.model.batches import require_enough_text
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import folder_beside
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.writing.size_estimate import estimate_size
from lamplighter.training.processes.crew import (
    MAX_PROCESSES,
    Crew,
    UnshareableError,
    require_shareable,
    usable_cores,
)
from lamplighter.training.processes.follower import follow_here
from lamplighter.training.processes.group import (
    ProcessLostError,
    torchrun_processes,
    torchrun_rank,
)

_WEIGH_EVERY = 2.0


def describe_expected_size(recipe: Recipe, text: str | None) -> str:
    size_estimate = estimate_size(
        recipe, text_bytes=None if text is None else len(text.encode()), without_workers=True
    )
    budget = f"at most the budget of {recipe.disk_budget / 1e6:,.0f} MB (--disk-budget)"
    if not size_estimate.fits:
        return f"every snapshot would take about {size_estimate.whole / 1e6:,.0f} MB; only keyframes are kept near the budget: {budget}"
    exact = "" if size_estimate.exact else f"; a full matrix every {recipe.cadence.keyframe_every} steps"
    return f"it will take about {size_estimate.bytes / 1e6:,.0f} MB on disk, {budget}{exact}"


@click.command("train")
@recipe_options
@click.option("--resume", metavar="RUN", type=RUN_ID, help="Continue a run instead of starting one.")
@click.option(
    "--control-of",
    metavar="RUN",
    type=RUN_ID,
    help="Train the control of a run: the same recipe and text, with the words of each document shuffled."
    " Only --steps may be added.",
)
@click.option("--more", type=click.IntRange(0), default=0, help="With --resume: steps to add to the end.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one summary line at the end, in JSON, and nothing else."
)
@click.option(
    "--yes", is_flag=True, help="Do not ask before continuing an imported run or training its control."
)
@click.option(
    "--processes",
    type=click.IntRange(1, MAX_PROCESSES),
    default=1,
    help="Processes that train together, each with a share of every batch (docs/deploy.md).  [default: 1]",
)
@push_options
@watch_option
@watts_option
@common_options()
def train_command(
    runs_dir: Path,
    push: str | None,
    insecure_http: bool,
    resume: str | None,
    control_of: str | None,
    more: int,
    as_json: bool,
    yes: bool,
    watch: bool,
    processes: int,
    **options: Any,
) -> None:
    """Train without the page. Ctrl-C stops after the current step; --resume continues."""
    processes = _count_processes(processes)
    if torchrun_processes() > 1 and torchrun_rank():
        # Process 0 alone reads the options and touches the folder.
        raise click.exceptions.Exit(follow_here(None, torchrun_rank(), processes))
    if watch and processes > 1:
        raise click.UsageError(
            "--processes belongs to the run that this command trains, and --watch names none"
        )
    if watch and push is not None:
        raise click.UsageError(
            "--push sends the run that this command trains, and --watch names none: give only one of them"
        )
    server, token = (None, "") if push is None else read_server(push, insecure_http=insecure_http)
    run_store = RunStore(runs_dir)
    run_store.clear_leftovers()
    if watch:
        watch_role(run_store, "trainer")
        return
    if resume is not None and control_of is not None:
        raise click.UsageError("--resume continues a run and --control-of starts one: give only one of them")
    if resume is not None:
        run = find_named_run(runs_dir, resume)
        _refuse_recipe(options, "learning_rate", "--resume", "--learning-rate and --more go")
        rate: float | None = options["learning_rate"]
        if rate is not None and not 0 < rate <= 10:
            raise click.UsageError(f"--learning-rate: {rate} is not above 0 and at most 10")
        if not yes:
            confirm_imported(run)
        _require_shareable(run.recipe, processes, yes=yes)
        if read_status(run).has_ended:
            body = {"steps": more} | ({} if rate is None else {"learning_rate": rate})
            RequestsWriter(run.path, "cli").add("continue", body)
        else:
            if rate is not None:
                RequestsWriter(run.path, "cli").add("learning_rate", {"value": rate})
            if read_status(run).step == 0:
                # A server may have asked the run to wait for its map; no page shows it here.
                RequestsWriter(run.path, "cli").add("begin", {})
    else:
        if control_of is None:
            recipe, text = make_recipe(options)
        else:
            _refuse_recipe(options, "steps", "--control-of", "--steps goes")
            controlled = find_named_run(runs_dir, control_of)
            recipe, text = make_control(controlled, options["steps"])
            if not yes:
                confirm_imported(controlled, "train its control")
            # Beside the run, because the board looks for it there.
            run_store = RunStore(controlled.path.parent)
        _require_shareable(recipe, processes, yes=yes)
        if text is not None:
            require_enough_text(recipe, text)
        run = run_store.create(recipe, text)
        if not as_json:
            print_line(f"{run.id}: {describe_expected_size(recipe, text)}", err=True)
    if server is None:
        train_and_report(run, runs_dir, quiet=as_json, processes=processes)
        return
    process = PushProcess(run.path, server, token)
    try:
        train_and_report(run, runs_dir, quiet=as_json, processes=processes)
    finally:
        print_line(process.await_end(), err=True)


def train_and_report(run: RunFolder, runs_dir: Path, *, quiet: bool, processes: int = 1) -> None:
    """Train a run with a progress bar, and say how it ended: in words or, if `quiet`, as one line of JSON."""
    again = f"lamplighter train --resume {run.id}"
    if runs_dir != DEFAULT_RUNS:
        again += f" --runs {runs_dir}"
    if processes > 1:
        again += f" --processes {processes}"
    phase = _train_with_progress(run, again, quiet=quiet, processes=processes)
    status = read_status(run)
    if quiet:
        summary = status.as_dict()
        summary |= {"id": run.id, "bytes": summary.pop("bytes")}
        print_line(json.dumps(summary))
    elif phase == Phase.FINISHED:
        took = describe_energy(run)
        energy = "" if took is None else f"; {took}"
        print_line(f"{run.id}: {status.message}{energy}. See it with: lamplighter --runs {runs_dir}")
    elif phase == Phase.FAILED:
        raise click.ClickException(f"{run.id}: {status.message}")
    else:
        print_line(f"{run.id}: stopped at step {status.step}. Continue with: {again}")
    if phase == Phase.FAILED:
        raise click.exceptions.Exit(1)


def _refuse_recipe(options: dict[str, Any], but: str, option: str, allowed: str) -> None:
    """Raise UsageError if an option of the recipe other than `but` is given together with an option that
    keeps the recipe."""
    refused = [name for name, value in options.items() if value is not None and name != but]
    if refused:
        raise click.UsageError(
            f"--{refused[0].replace('_', '-')} is part of the recipe, which {option} does not change;"
            f" only {allowed} with it"
        )


def _count_processes(asked: int) -> int:
    """Return the number of processes, which `torchrun` may have said already."""
    started = torchrun_processes()
    if 1 < started != asked > 1:
        raise click.UsageError(f"--processes: torchrun has started {started}: leave --processes out")
    return max(started, asked)


def _require_shareable(recipe: Recipe, processes: int, *, yes: bool) -> None:
    """Raise UsageError if several processes cannot train a run, or gain nothing here."""
    if processes == 1:
        return
    try:
        require_shareable(recipe, processes)
    except UnshareableError as error:
        raise click.UsageError(f"--{error}") from error
    if usable_cores() == 1 and not yes:
        raise click.UsageError(
            f"--processes: {processes} would take turns on the one core that may be used here, and be slower than one;"
            " --yes trains all the same"
        )


def _train_with_progress(run: RunFolder, again: str, *, quiet: bool, processes: int) -> Phase:
    if processes == 1:
        return _train_and_show(run, None, quiet=quiet)
    with Crew(processes) as crew:
        try:
            return _train_and_show(run, crew, quiet=quiet)
        except ProcessLostError as error:
            raise click.ClickException(
                f"{run.id}: {crew.explain(error)}. What was recorded is safe; continue with: {again}"
            ) from error


def _train_and_show(run: RunFolder, crew: Crew | None, *, quiet: bool) -> Phase:
    from lamplighter.training.worker import train

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[what]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=quiet,
        refresh_per_second=4,
    )
    with bar:
        task = bar.add_task(run.id, total=1, what="starting")
        shown_at = measured_at = 0.0
        size = 0

        def on_prepare(share: float, what: str) -> None:
            bar.update(task, completed=round(100 * share), total=100, what=what)

        def on_progress(seen: Any) -> None:
            nonlocal shown_at, measured_at, size
            # Drawing can take longer than a step.
            if (now := time.monotonic()) - shown_at > 0.2 or seen.step == seen.end:
                shown_at = now
                if now - measured_at > _WEIGH_EVERY or seen.step == seen.end:
                    measured_at, size = now, run.bytes_on_disk()
                what = (
                    "replaying"
                    if seen.replaying
                    else f"loss {seen.loss:.3f}, {seen.lit} rows lit, {size / 1e6:,.0f} MB"
                )
                if seen.waiting:
                    what = "the disk is full: training waits for room"
                bar.update(task, completed=seen.step, total=seen.end, what=what)

        return train(run, on_prepare=on_prepare, on_progress=on_progress, crew=crew)


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
