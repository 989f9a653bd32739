"""The limit of open files and sockets of this process."""

from __future__ import annotations

try:
    import resource
except ImportError:  # Windows, where sockets are handles and no such limit is near.
    resource = None

_WANTED = 16_384
"""Enough for every connection and file of a server. Not more, since some programs close every possible descriptor in
each child process."""
_MIN_WANTED = 1_024


def raise_descriptor_limit(wanted: int = _WANTED) -> int | None:
    """Raise the soft limit of this process and its children up to `wanted`, or to the hard limit if that is
    lower. Returns the new limit; None if this system does not report one.
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
            # macOS reports an unlimited hard limit, but rejects values beyond its kernel's.
            most = most // 2 if most >= 2 * _MIN_WANTED else soft
        else:
            return most
    return soft
