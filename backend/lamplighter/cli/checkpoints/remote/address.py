"""The addresses of checkpoints on the web, `hf://org/name@step*` or `https://host/folder/`.

Also: where a server may send us from there, which of the checkpoints are wanted, and the errors of fetching, each one
line that says what to do.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import numpy as np

from lamplighter.platform.own_addresses import is_loopback
from lamplighter.platform.printable import quote_foreign


class FetchError(RuntimeError):
    """Something on the web cannot be read, or must not be."""


class MissingFileError(FetchError):
    """The server has no such file."""


class UnavailableError(FetchError):
    """A server that cannot be read now, and may be later."""


class ChangedFileError(FetchError):
    """A file is no longer the one that was read before."""


Resolver = Callable[[str], list[str]]
_INWARD = tuple(
    ipaddress.ip_network(one)
    for one in (
        "64:ff9b::/96",  # NAT64
        "2002::/16",  # 6to4
        "fec0::/10",  # site-local
        "::/96",  # IPv4-compatible
    )
)
"""Networks that Python calls global, and that can lead to private addresses."""


def resolve(host: str) -> list[str]:
    """Return the addresses of a host; none if its name is unknown here, as behind a proxy."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []


def hub_access() -> tuple[str, str | None]:
    """Return the address of the Hugging Face Hub, or of the mirror in `HF_ENDPOINT`, and the token for it: that
    of `hf auth login` if huggingface_hub is installed, else `HF_TOKEN`."""
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    try:
        from huggingface_hub import get_token
    except ModuleNotFoundError:
        return endpoint.rstrip("/"), os.environ.get("HF_TOKEN") or None
    return endpoint.rstrip("/"), get_token()


def require_web_address(address: str) -> None:
    """Raise FetchError for an address that is not `https://`, or `http://` on this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        host, parts = None, urlsplit("")
    if host is None or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise FetchError(f"{quote_foreign(address)}: an address must begin with https://")


def check_redirect(origin: str, target: str, resolver: Resolver = resolve) -> None:
    """Raise FetchError for a redirect that could make us read what only this machine can reach, or that is no
    https.

    `origin`: the address that the user named; if it is on this machine, a redirect may stay there. `target`:
    where the server sends us, absolute.
    """
    at_home = is_loopback(urlsplit(origin).hostname or "")
    refused = _describe(origin, target)
    try:
        parts = urlsplit(target)
        host = parts.hostname
    except ValueError as error:
        raise FetchError(f"{refused}, which is no address") from error
    if host is None or parts.scheme not in (("http", "https") if at_home else ("https",)):
        raise FetchError(f"{refused}, which is not https and is not followed")
    for address in resolver(host):
        require_outside(origin, target, address)


def require_outside(origin: str, target: str, address: str) -> None:
    """Raise FetchError for an IP address in a private network to which the name of a redirect has led, unless
    `origin` and `target` are both on this machine."""
    if is_loopback(urlsplit(origin).hostname or "") and is_loopback(urlsplit(target).hostname or ""):
        return
    found = ipaddress.ip_address(address.partition("%")[0])
    if not found.is_global or any(found in network for network in _INWARD):
        raise FetchError(f"{_describe(origin, target)}, in a private network, which is not followed")


def _describe(origin: str, target: str) -> str:
    return f"{urlsplit(origin).hostname} redirects to {quote_foreign(target)}"


_HUB = re.compile(r"hf://([\w.-]{1,96}/[\w.-]{1,96})(?:@([^\s\\]{1,200}))?")


@dataclass(frozen=True)
class HubAddress:
    """A model of the Hub, with one revision, or a pattern of many."""

    model: str
    """Its owner and name: `EleutherAI/pythia-14m`."""
    revision: str
    """A branch, tag or commit; with `*`, those whose names fit."""

    @property
    def is_pattern(self) -> bool:
        return "*" in self.revision

    @property
    def name(self) -> str:
        return self.model.replace("/", " ") + ("" if self.is_pattern else f" {self.revision}")

    def folder_of(self, endpoint: str, revision: str) -> str:
        """Return the address of the folder of files of a revision, ending in `/`."""
        return f"{endpoint}/{self.model}/resolve/{quote(revision, safe='')}/"


@dataclass(frozen=True)
class WebAddress:
    """A folder on the web, ending in `/`; or one file of it."""

    url: str

    @property
    def name(self) -> str:
        return " ".join(part for part in self.url.rstrip("/").split("/")[-2:] if part)


def is_address(source: str) -> bool:
    return source.startswith(("hf://", "https://", "http://"))


def parse_address(source: str) -> HubAddress | WebAddress:
    if source.startswith("hf://"):
        match = _HUB.fullmatch(source)
        if match is None or ".." in source:
            raise FetchError(
                f"{quote_foreign(source)}: write hf://owner/name@revision, such as hf://org/name@step*"
            )
        return HubAddress(match[1], match[2] or "main")
    require_web_address(source)
    return WebAddress(source if source.endswith((".safetensors", "/")) else f"{source}/")


@dataclass(frozen=True)
class StepChoice:
    """All checkpoints, or some: at most one of the three is given."""

    every: int | None = None
    """Every so many of them, and the last."""
    log: int | None = None
    """This many, spaced like a logarithm."""
    steps: tuple[int, ...] | None = None
    """These steps."""

    def choose(self, steps: Sequence[int]) -> list[int]:
        """Return the chosen of the steps, which ascend. Raises FetchError if a step of the list is not among
        them."""
        if self.steps is not None:
            if lacking := sorted(set(self.steps) - set(steps)):
                raise FetchError(f"there is no checkpoint of step {lacking[0]:,}")
            return sorted(set(self.steps))
        if self.every is not None:
            return sorted({*steps[:: self.every], *steps[-1:]})
        if self.log is not None and self.log < len(steps):
            return _spread(steps, self.log)
        return list(steps)


def _spread(steps: Sequence[int], count: int) -> list[int]:
    """Return `count` steps, at least two, with the first and the last, as evenly spaced on a logarithmic axis as they
    lie."""
    places = np.log1p(np.array(steps, dtype=np.float64) - steps[0])
    kept = np.arange(len(steps))
    while len(kept) > count:
        # The step whose neighbours are nearest to each other is missed least.
        around = places[kept[2:]] - places[kept[:-2]]
        kept = np.delete(kept, int(around.argmin()) + 1)
    return [steps[at] for at in kept.tolist()]
