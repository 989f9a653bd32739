"""Loopback addresses."""

from __future__ import annotations

import ipaddress

DEFAULT_PORT = 8600
LOCAL_ADDRESS = f"http://127.0.0.1:{DEFAULT_PORT}"
"""The default address of a server on this machine."""


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is a loopback one."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
