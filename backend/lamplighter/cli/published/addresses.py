"""The addresses of published runs: an object store, a folder, or a folder on the web."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager

from lamplighter.runfolder.published.object_store import ObjectReader, StoreError, open_object_store


@contextmanager
def open_for_reading(address: str) -> Generator[ObjectReader]:
    """Yield what reads the objects at an address.

    Raises:
        StoreError: it is no address, or a package is not installed.
    """
    if not address.startswith(("hf://", "https://", "http://")):
        yield open_object_store(address, writing=False)
        return
    try:
        from lamplighter.cli.checkpoints.remote.errors import FetchError
        from lamplighter.cli.checkpoints.remote.ranged_client import RangedClient
        from lamplighter.cli.checkpoints.remote.redirect_guard import require_web_address
        from lamplighter.cli.published.web_objects import WebObjects, hub_folder

        url, token = address if address.endswith("/") else f"{address}/", None
        if address.startswith("hf://"):
            from huggingface_hub import constants, get_token

            url, token = hub_folder(address, constants.ENDPOINT.rstrip("/")), get_token()
    except ModuleNotFoundError as error:
        raise StoreError(
            "addresses on the web need the extra hub: pip install -e '.[hub]' in the checkout"
        ) from error
    try:
        require_web_address(url)
    except FetchError as error:
        raise StoreError(str(error)) from error
    # A line for each request would fill the terminal of a server.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with RangedClient(token) as client:
        yield WebObjects(client, address, url)
