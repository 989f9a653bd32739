"""The command `lamplighter broadcast`."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, find_named_run
from lamplighter.cli.terminal import print_line
from lamplighter.runfolder.published.object_store import StoreError, open_object_store

if TYPE_CHECKING:
    from lamplighter.packing.broadcast.site import Site


@click.command("broadcast")
@click.argument("run_id", metavar="RUN", type=RUN_ID)
@click.argument("place", metavar="DIR|s3://BUCKET/PREFIX")
@common_options()
def broadcast_command(runs_dir: Path, run_id: str, place: str) -> None:
    """Write a run into a folder or a bucket while it trains, from which any number of viewers can follow it.

    The place then holds a page, and a file for each second. Any web server or public bucket can serve them;
    viewers are one or two seconds late. The broadcast ends with the run, and leaves a page that holds all of it.
    """
    # Imported only here, because it imports the server's modules.
    from lamplighter.packing.broadcast.broadcast import Broadcast, BroadcastFailedError

    run = find_named_run(runs_dir, run_id)
    site = _open_site(place)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: stopping.set())
    print_line(
        f"broadcasting {run.id} to {place}; everyone who can open its page can read its words. Ctrl-C stops"
    )
    try:
        Broadcast(run, site, print_line).write_until_over(stopping.wait)
    except BroadcastFailedError as error:
        raise click.ClickException(str(error)) from error
    if not stopping.is_set():
        print_line(f"{run.id} has ended; the page at {place} holds all of it")


def _open_site(place: str) -> Site:
    from lamplighter.packing.broadcast.broadcast import LIVE, PAGE
    from lamplighter.packing.broadcast.site import FolderSite, StoreSite

    if "://" in place:
        try:
            return StoreSite(open_object_store(place, writing=True))
        except StoreError as error:
            raise click.ClickException(str(error)) from error
    folder = Path(place)
    if folder.exists() and not folder.is_dir():
        raise click.ClickException(f"{folder} is a file: name a folder")
    others = [one.name for one in folder.glob("[!.]*") if one.name not in (PAGE, LIVE)]
    if others:
        raise click.ClickException(
            f"{folder} holds other files ({others[0]}): name an empty folder, or one of a broadcast"
        )
    return FolderSite(folder)
