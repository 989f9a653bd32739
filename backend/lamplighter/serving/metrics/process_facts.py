"""Facts about the process of the server."""

from __future__ import annotations

import os

_OPEN_FILES = "/dev/fd"


def count_descriptors() -> int | None:
    """Return how many file descriptors are open; None where the system does not list them."""
    try:
        # One of them is for the listing itself.
        return len(os.listdir(_OPEN_FILES)) - 1
    except OSError:
        return None


def descriptor_limit() -> int | None:
    """Return how many file descriptors this process may open; None where there is no such limit."""
    try:
        limit = os.sysconf("SC_OPEN_MAX")
    except (AttributeError, OSError, ValueError):
        return None
    return limit if limit > 0 else None
