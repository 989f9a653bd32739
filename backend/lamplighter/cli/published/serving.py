"""Published runs for a server, as a folder of runs that lasts as long as it; and for an import."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click

from lamplighter.cli.terminal import print_line
from lamplighter.exports.archive.import_run import ImportedRun, import_files
from lamplighter.exports.output import ExportProgress
from lamplighter.exports.publishing import fetch_run
from lamplighter.runfolder.importing.untrusted_sqlite import bounded_sqlite_memory
from lamplighter.runfolder.published.object_store import (
    CountingReader,
    ObjectReader,
    StoreError,
    open_object_store,
)
from lamplighter.runfolder.published.shadow_folder import PublishedRuns
from lamplighter.runfolder.run_store import RunStore


@contextmanager
def open_for_reading(address: str) -> Generator[ObjectReader]:
    if not address.startswith(("hf://", "https://", "http://")):
        yield open_object_store(address, writing=False)
        return
    try:
        from lamplighter.cli.checkpoints.remote.address import FetchError, hub_access, require_web_address
        from lamplighter.cli.checkpoints.remote.ranged_client import RangedClient
        from lamplighter.cli.published.web_objects import WebObjects, hub_folder

        url, token = address if address.endswith("/") else f"{address}/", None
        if address.startswith("hf://"):
            endpoint, token = hub_access()
            url = hub_folder(address, endpoint)
    except ModuleNotFoundError as error:
        raise StoreError(
            "addresses on the web need the extra hub: pip install -e '.[hub]' in the checkout"
        ) from error
    try:
        require_web_address(url)
    except FetchError as error:
        raise StoreError(str(error)) from error
    # A line for each request would fill the terminal of a server.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    with RangedClient(token) as client:
        yield WebObjects(client, address, url)


@contextmanager
def published_runs(address: str) -> Generator[Path]:
    """Yield a folder that stands for the runs at an address, and say what was read of them."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-runs-") as folder:
        try:
            with open_for_reading(address) as objects:
                counted = CountingReader(objects)
                with bounded_sqlite_memory(), PublishedRuns(counted, Path(folder)) as published:
                    for run, why in published.refused.items():
                        print_line(f"{run} is left out: {why}", err=True)
                    if not published.runs:
                        raise click.ClickException(f"{address}: no run there can be opened")
                    count = len(published.runs)
                    print_line(
                        f"{count} published {'run' if count == 1 else 'runs'}, {published.size / 1e6:,.1f} MB, read in"
                        f" place: nothing is written, nothing trains. Read so far: {_amount(counted)}"
                    )
                    yield Path(folder)
                    print_line(f"read from {address}: {_amount(counted)}")
        except StoreError as error:
            raise click.ClickException(str(error)) from error


def import_published(run_store: RunStore, address: str, progress: ExportProgress) -> ImportedRun:
    """Create a run from a published one, which is checked as a zip is.

    Raises:
        ExportError, StoreError: it is rejected, or cannot be read; the message says why.
    """
    with open_for_reading(address) as objects:

        def fill(folder: Path, progress: ExportProgress) -> str:
            fetch_run(objects, folder, progress)
            return "its files are those that its manifest lists"

        return import_files(run_store, address, fill, progress)


def _amount(counted: CountingReader) -> str:
    return f"{counted.bytes / 1e6:,.1f} MB in {counted.requests:,} requests"
