"""Addresses of this machine alone."""

from __future__ import annotations

import ipaddress

DEFAULT_PORT = 8600
LOCAL_ADDRESS = f"http://127.0.0.1:{DEFAULT_PORT}"
"""Where a server on this machine is, unless it was told otherwise."""


def is_loopback(host: str) -> bool:
    """Return whether a host name or address means this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
