"""The commands `lamplighter publish` and `lamplighter broadcast`: a run in a store, when it is over or growing."""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lamplighter.cli.common import common_options
from lamplighter.cli.named_run import RUN_ID, find_named_run
from lamplighter.cli.terminal import make_progress_bar, print_line
from lamplighter.exports.output import ExportError
from lamplighter.exports.publishing import prepare_publication, publish, publish_page
from lamplighter.runfolder.published.object_store import ObjectStore, StoreError, open_object_store
from lamplighter.runfolder.run_folder import RunFolder

if TYPE_CHECKING:
    from rich.progress import Progress

    from lamplighter.packing.broadcast.site import Site


_READ_ONLY = ("hf://", "https://", "http://")


@click.command("publish")
@click.argument("run_id", metavar="RUN", type=RUN_ID)
@click.argument("address", metavar="ADDRESS")
@click.option("--price", "only_price", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option(
    "--page",
    is_flag=True,
    help="Also the page in a file with the run in it, for anyone who opens its address.",
)
@click.option("--yes", is_flag=True, help="Do not ask before sending.")
@common_options()
def publish_command(
    runs_dir: Path, run_id: str, address: str, only_price: bool, page: bool, yes: bool
) -> None:
    """Write a finished run to an object store, where it is read in place.

    ADDRESS is s3://bucket/prefix, gs://, az:// or file:///folder; the run gets a folder of its own below it. A repeated
    command sends only what is lacking. To look at it: lamplighter serve --runs ADDRESS
    """
    if address.startswith(_READ_ONLY):
        raise click.ClickException(
            f"{address.partition('://')[0]}:// is for reading: publish to a folder, file:///PATH, and upload it with the"
            " host's own tools"
        )
    run = find_named_run(runs_dir, run_id)
    try:
        store = open_object_store(address, writing=True)
        with make_progress_bar() as bar:
            reading = bar.add_task("reading", total=1.0)
            with prepare_publication(
                run, store, lambda share, what: bar.update(reading, completed=share, description=what)
            ) as publication:
                bar.update(reading, completed=1.0, description="reading")
                bar.stop()
                count, size = len(publication.lacking), publication.bytes
                known = len(publication.manifest.objects) - count
                price = f"{count:,} objects, {size / 1e6:,.1f} MB to send; {known:,} are there already"
                if only_price:
                    print_line(price)
                    return
                if count and not yes and sys.stdin.isatty():
                    click.confirm(f"{price}; go on?", default=True, abort=True, err=True)
                else:
                    print_line(price)
                bar.start()
                sending = bar.add_task("sending", total=1.0)
                changed = publish(publication, store, lambda share, _: bar.update(sending, completed=share))
                index = _publish_page(run, store, bar) if page else None
    except (ExportError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    print_line(f"{run.id} {'is published' if changed else 'was published before, as it is'}: {address}")
    print_line(f"see it with: lamplighter serve --runs {address}")
    if index is not None:
        print_line(f"its page, at the address from which the store serves files: {index}")


def _publish_page(run: RunFolder, store: ObjectStore, bar: Progress) -> str:
    # Imported only here, because it imports the server's modules.
    from lamplighter.packing.page import write_gallery

    task = bar.add_task("page", total=1.0)
    with tempfile.TemporaryDirectory(prefix="lamplighter-page-") as folder:
        gallery = write_gallery(
            [run], Path(folder) / "page", None, lambda share, _: bar.update(task, completed=share / 2)
        )
        return publish_page(
            gallery, run.id, store, lambda share, _: bar.update(task, completed=0.5 + share / 2)
        )


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
