"""The number of files and sockets that this process may have open."""

from __future__ import annotations

try:
    import resource
except ImportError:  # Windows, where sockets are handles and no such limit is near.
    resource = None

_WANTED = 16_384
"""Enough for every connection and file of a server. Not more: a program that closes "all" descriptors of a child it
starts takes time for each that may exist."""
_FEWEST = 1_024


def raise_descriptor_limit(wanted: int = _WANTED) -> int | None:
    """Raise the soft limit of this process, and of those it starts, as far as `wanted` and the hard limit allow.

    Returns:
        The limit that holds now; None if this system has none that can be asked for.
    """
    if resource is None:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    while most > soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        except (OSError, ValueError):
            # macOS calls its hard limit unlimited and refuses what its kernel does not allow.
            most = most // 2 if most >= 2 * _FEWEST else soft
        else:
            return most
    return soft
