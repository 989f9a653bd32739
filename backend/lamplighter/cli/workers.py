"""The commands `lamplighter project` and `lamplighter analyse`, and `--watch`: one role for all runs of a folder."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, find_named_run
from lamplighter.cli.terminal import log_to_terminal, print_line, run_worker_process, show_progress
from lamplighter.processes.child_job import ReprojectionFailedError, reproject_in_child
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore

watch_option: Callable[..., Any] = click.option(
    "--watch", is_flag=True, help="Serve every run of the folder that needs it, until stopped."
)


def watch_role(run_store: RunStore, role: str) -> None:
    from lamplighter.processes.supervisor import Supervisor

    log_to_terminal()
    supervisor = Supervisor(run_store, (role,))
    notice = f"looking for runs in {run_store.path} that need a {role}; Ctrl-C stops"
    run_until_stopped(supervisor.start, notice, on_interrupt=supervisor.interrupt)
    supervisor.stop()


def run_until_stopped(
    start: Callable[[], object], notice: str, *, on_interrupt: Callable[[], object] | None = None
) -> None:
    """Call `start`, print a notice, and wait for SIGINT or SIGTERM. SIGINT also calls `on_interrupt`."""
    stopping = threading.Event()

    def on_signal(number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT and on_interrupt is not None:
            on_interrupt()
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    start()
    print_line(notice)
    stopping.wait()


def _run_worker(runs_dir: Path, run_id: str | None, watch: bool, role: str, package: str) -> None:
    if watch:
        watch_role(RunStore(runs_dir), role)
        return
    if run_id is None:
        raise click.UsageError("name a run (see: lamplighter runs), or --watch for all of them")
    run = find_named_run(runs_dir, run_id)
    # A separate process, as the supervisor starts it, because umap and torch must never share one.
    command = [sys.executable, "-m", f"lamplighter.{package}.worker", str(run.path)]
    with show_progress(f"following {run.id}"):
        code = run_worker_process(command)
    raise click.exceptions.Exit(code)


def _reproject(run: RunFolder, slices: int | None) -> None:
    """Reproject a run in a separate process; Ctrl-C or SIGTERM cancels it and leaves no files behind."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        # The bar first: an interrupt while its modules are imported would end this process by a signal (CPython's `exec`).
        with show_progress("again") as show:
            done = reproject_in_child(run.path, show, slices)
    except KeyboardInterrupt:
        raise click.ClickException("cancelled; nothing was changed") from None
    except ReprojectionFailedError as error:
        raise click.ClickException(str(error)) from error
    print_line(f"{run.id}: {done}; the live map is kept too")


@click.command("project")
@click.argument("run_id", metavar="RUN", type=RUN_ID, required=False)
@watch_option
@click.option(
    "--again",
    is_flag=True,
    help="Lay out a finished run again for replay, using past and future steps.",
)
@click.option(
    "--slices", type=click.IntRange(2, 1_000), help="With --again: how many steps to lay out.  [default: 120]"
)
@click.option(
    "--compile",
    "compile_only",
    is_flag=True,
    help="Lay out nothing: compile the code of the map in advance, so that the first map on this machine is fast.",
)
@common_options()
def project_command(
    runs_dir: Path, run_id: str | None, watch: bool, again: bool, slices: int | None, compile_only: bool
) -> None:
    """Lay out a run on the map, following it while it grows."""
    if compile_only:
        if run_id is not None or watch or again or slices is not None:
            raise click.UsageError("--compile takes no other option and no run")
        command = [sys.executable, "-m", "lamplighter.projection.compile_worker"]
        raise click.exceptions.Exit(run_worker_process(command))
    if again:
        if run_id is None or watch:
            raise click.UsageError("--again is for one run: name it (see: lamplighter runs), without --watch")
        _reproject(find_named_run(runs_dir, run_id), slices)
        return
    if slices is not None:
        raise click.UsageError("--slices needs --again")
    _run_worker(runs_dir, run_id, watch, "projector", "projection")


@click.command("analyse")
@click.argument("run_id", metavar="RUN", type=RUN_ID, required=False)
@watch_option
@common_options()
def analyse_command(runs_dir: Path, run_id: str | None, watch: bool) -> None:
    """Compute the measures of a run from its record, following it while it grows."""
    _run_worker(runs_dir, run_id, watch, "analyst", "analysis")
