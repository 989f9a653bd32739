"""The command `lamplighter broadcast`."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import find_named_run
from lamplighter.cli.terminal import print_line


@click.command("broadcast")
@click.argument("run_id", metavar="RUN")
@click.argument("site", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@common_options()
def broadcast_command(runs_dir: Path, run_id: str, site: Path) -> None:
    """Write a run into a folder while it trains, for a web server to serve to any number of viewers.

    The folder then holds a page, and a file for each second. Serve it with nginx, or copy it to any host of static
    files; viewers are one or two seconds late. It ends with the run, and leaves a page that holds all of it.
    """
    # Imported only here, because it imports the server's modules.
    from lamplighter.packing.broadcast.broadcast import Broadcast, BroadcastFailedError

    run = find_named_run(runs_dir, run_id)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: stopping.set())
    print_line(
        f"broadcasting {run.id} into {site}; everyone who can open the page sees its text. Ctrl-C stops"
    )
    try:
        Broadcast(run, site, print_line).write_until_over(stopping.wait)
    except BroadcastFailedError as error:
        raise click.ClickException(str(error)) from error
    if not stopping.is_set():
        print_line(f"{run.id} has ended; {site / 'index.html'} holds all of it")
