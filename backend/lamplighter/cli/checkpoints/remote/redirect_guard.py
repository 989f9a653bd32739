"""The addresses that a server may send us to."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from lamplighter.cli.checkpoints.remote.errors import FetchError
from lamplighter.platform.printable import quote_foreign

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


def is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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
    at_home = is_loopback(urlsplit(origin).hostname)
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
    if is_loopback(urlsplit(origin).hostname) and is_loopback(urlsplit(target).hostname):
        return
    found = ipaddress.ip_address(address.partition("%")[0])
    if not found.is_global or any(found in network for network in _INWARD):
        raise FetchError(f"{_describe(origin, target)}, in a private network, which is not followed")


def _describe(origin: str, target: str) -> str:
    return f"{urlsplit(origin).hostname} redirects to {quote_foreign(target)}"
