"""Published runs on the web, read-only: a folder at an https address, or of the Hugging Face Hub."""

from __future__ import annotations

import re
from urllib.parse import quote

from lamplighter.cli.checkpoints.remote.address import FetchError, MissingFileError, UnavailableError
from lamplighter.cli.checkpoints.remote.ranged_client import RangedClient
from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.published.object_store import (
    MissingObjectError,
    StoreError,
    UnavailableStoreError,
)
from lamplighter.runfolder.published.patience import Patience

_NAME = r"[\w.-]{1,96}/[\w.-]{1,96}"
_HUB = re.compile(
    rf"hf://(?P<kind>buckets/|datasets/|)(?P<name>{_NAME})(?:@(?P<revision>[^\s\\/]{{1,200}}))?(?P<path>/.*)?"
)


class WebObjects:
    """The objects below an address that ends in a slash (`ObjectReader`)."""

    def __init__(self, client: RangedClient, place: str, url: str) -> None:
        self._client, self.place, self._url = client, place, url

    def read_part(self, key: str, start: int, count: int, patience: Patience | None = None) -> bytes:
        try:
            return self._client.open_range(self._url + quote(key), start, count, patience)[1]
        except MissingFileError as error:
            raise MissingObjectError(f"{self.place}: there is no {key}") from error
        except UnavailableError as error:
            raise UnavailableStoreError(str(error)) from error
        except FetchError as error:
            raise StoreError(str(error)) from error


def hub_folder(address: str, endpoint: str) -> str:
    """Return the web address of the folder that `hf://buckets/owner/name/path`, `hf://datasets/owner/name@revision/path` or
    `hf://owner/name` names; it ends in a slash. Raises StoreError if it names none."""
    match = _HUB.fullmatch(address)
    if match is None or ".." in address or (match["kind"] == "buckets/" and match["revision"]):
        raise StoreError(
            f"{quote_foreign(address)}: write hf://buckets/owner/name/path, or hf://datasets/owner/name@revision/path"
        )
    revision = "" if match["kind"] == "buckets/" else quote(match["revision"] or "main", safe="") + "/"
    path = quote((match["path"] or "").strip("/"))
    return f"{endpoint}/{match['kind']}{match['name']}/resolve/{revision}{path}{'/' if path else ''}"
