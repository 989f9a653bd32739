"""`lamplighter project | analyse`, and `--watch`: one role for every run of a folder that wants it."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import click

from lamplighter.runfolder.shelf import Shelf

watch_option: Callable[..., Any] = click.option(
    "--watch", is_flag=True, help="Serve every run of the folder that wants it, until stopped."
)


def watch_role(shelf: Shelf, role: str) -> None:
    """Start workers of one role for every run that wants one, until SIGINT or SIGTERM."""
    from lamplighter.serving.supervisor import Supervisor

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    supervisor = Supervisor(shelf, (role,))
    stopping = threading.Event()

    def on_signal(number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT:
            supervisor.interrupt()
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    supervisor.start()
    click.echo(f"looking for runs in {shelf.path} that want a {role}; Ctrl-C stops")
    stopping.wait()
    supervisor.stop()


def _work(runs_dir: Path, run_id: str | None, watch: bool, role: str, room: str) -> None:
    shelf = Shelf(runs_dir)
    if watch:
        watch_role(shelf, role)
        return
    if run_id is None:
        raise click.UsageError("name a run (see: lamplighter runs), or --watch for all of them")
    run = shelf.find(run_id)
    # A process of its own, as the supervisor starts it: umap and torch never share one.
    command = [sys.executable, "-m", f"lamplighter.{room}.worker", str(run.path)]
    raise click.exceptions.Exit(subprocess.run(command, check=False).returncode)


@click.command("project")
@click.argument("run_id", metavar="RUN", required=False)
@watch_option
@click.pass_obj
def project_command(runs_dir: Path, run_id: str | None, watch: bool) -> None:
    """Lay a run out on the map, following it while it grows."""
    _work(runs_dir, run_id, watch, "projector", "projection")


@click.command("analyse")
@click.argument("run_id", metavar="RUN", required=False)
@watch_option
@click.pass_obj
def analyse_command(runs_dir: Path, run_id: str | None, watch: bool) -> None:
    """Measure a run by its record, following it while it grows."""
    _work(runs_dir, run_id, watch, "analyst", "analysis")
