"""The addresses that a server may send us to."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from lamplighter.cli.checkpoints.remote.errors import FetchError
from lamplighter.platform.printable import quote_foreign

Resolver = Callable[[str], list[str]]


def resolve(host: str) -> list[str]:
    """Return the addresses of a host; none if its name is unknown here, as behind a proxy."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []


def is_loopback(host: str | None) -> bool:
    """Return whether a host of an address is this machine by its name or number."""
    if host is None:
        return False
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_web_address(address: str) -> None:
    """Refuse an address that is not `https://`, or `http://` on this machine.

    Raises:
        FetchError: it is refused.
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        host, parts = None, urlsplit("")
    if host is None or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise FetchError(f"{quote_foreign(address)}: an address must begin with https://")


def check_redirect(origin: str, target: str, resolver: Resolver = resolve) -> None:
    """Refuse a redirect that could make us read what only this machine can reach.

    Args:
        origin: the address that the user named; if it is on this machine, a redirect may stay there.
        target: where the server sends us, absolute.
        resolver: returns the addresses of a host.

    Raises:
        FetchError: the target is no web address, or is in a private network.
    """
    at_home = is_loopback(urlsplit(origin).hostname)
    refused = f"{urlsplit(origin).hostname} redirects to {quote_foreign(target)}"
    try:
        parts = urlsplit(target)
        host = parts.hostname
    except ValueError as error:
        raise FetchError(f"{refused}, which is no address") from error
    if host is None or parts.scheme not in (("http", "https") if at_home else ("https",)):
        raise FetchError(f"{refused}, which is not https and is not followed")
    if at_home and is_loopback(host):
        return
    for address in resolver(host):
        if not ipaddress.ip_address(address.partition("%")[0]).is_global:
            raise FetchError(f"{refused}, in a private network, which is not followed")
