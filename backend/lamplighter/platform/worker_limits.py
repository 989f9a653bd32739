"""Limits of a process: open files, core dumps and memory.

A run may be untrusted, and so may its demands: with a limit its worker fails with a message, instead of the system
killing the process with the most memory, perhaps the server. Only Linux enforces a memory limit of a process; there is
none elsewhere, or with a graphics driver, which reserves huge address ranges.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None

MAX_OPEN_FILES = 1_024
"""Maximum open files of a worker, which needs a few dozen."""
_SLACK_BYTES = 3_000_000_000
"""Allowance for thread stacks, arenas and compilers, most of which is never touched."""
_HEADROOM = 4
"""Factor on the estimate that the work may take."""
_MACHINE_SHARE = 0.75
"""Maximum share of the machine's memory for one worker."""
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_MEMORY = Path("/proc/meminfo")
_CGROUP_USES = (
    (Path("/sys/fs/cgroup/memory.current"), "inactive_file"),
    (Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"), "total_inactive_file"),
)
"""Files with the bytes that a container uses, and the name in `memory.stat` of the part that the system can reclaim."""
_GRAPHICS_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


def limit_worker_files() -> None:
    """Limit the open files of this process to `MAX_OPEN_FILES`, and disable core dumps, which would hold the text.
    Lower limits stay."""
    if resource is None:
        return
    for kind, most in ((resource.RLIMIT_NOFILE, MAX_OPEN_FILES), (resource.RLIMIT_CORE, 0)):
        _lower(kind, most)


@contextmanager
def bounded_memory(needed: int) -> Generator[int | None]:
    """Limit the memory of this process within the block, with wide headroom above what it needs. `needed`:
    the estimated bytes that the work will take in addition. Yields the limit in bytes; None without a
    limit: not on Linux, or with a graphics card.
    """
    most = memory_allowance(needed)
    if resource is None or most is None:
        yield None
        return
    before = resource.getrlimit(resource.RLIMIT_DATA)
    most = _lower(resource.RLIMIT_DATA, most)
    try:
        yield most
    finally:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, before)


def memory_allowance(needed: int) -> int | None:
    """Return the memory limit in bytes for work that needs `needed` more; None if it cannot be limited."""
    present = _data_bytes()
    if resource is None or present is None or has_graphics_driver():
        return None
    machine = machine_memory()
    wanted = _HEADROOM * needed
    return (
        present + _SLACK_BYTES + (wanted if machine is None else min(wanted, int(machine * _MACHINE_SHARE)))
    )


def machine_memory() -> int | None:
    """Return the bytes of memory of this machine or container; None if unknown."""
    found: list[int] = []
    with suppress(AttributeError, OSError, ValueError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in _CGROUP_LIMITS:
        with suppress(OSError, ValueError):
            found.append(int(path.read_text(encoding="ascii")))
    return min((size for size in found if size > 0), default=None)


def available_memory() -> int | None:
    """Return the bytes that a process can take now without others being swapped out or killed; None if unknown, as on
    any system except Linux."""
    found: list[int] = []
    with suppress(OSError, ValueError, KeyError):
        found.append(1_024 * _read_numbers(_MEMORY)["MemAvailable:"])
    for limit, (used, reclaimed) in zip(_CGROUP_LIMITS, _CGROUP_USES, strict=True):
        with suppress(OSError, ValueError, KeyError):
            kept = (
                int(used.read_text(encoding="ascii"))
                - _read_numbers(used.with_name("memory.stat"))[reclaimed]
            )
            found.append(int(limit.read_text(encoding="ascii")) - kept)
    present = _data_bytes()
    if resource is not None and present is not None:
        most, _ = resource.getrlimit(resource.RLIMIT_DATA)
        if most != resource.RLIM_INFINITY:
            found.append(most - present)
    return max(0, min(found)) if found else None


def has_graphics_driver() -> bool:
    """Return whether there may be a graphics card with a driver that torch uses."""
    return any(os.path.exists(path) for path in _GRAPHICS_DRIVERS)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory ran out: Python's, or torch's on a CPU."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def _read_numbers(path: Path) -> dict[str, int]:
    lines = path.read_text(encoding="ascii").splitlines()
    return {name: int(number) for name, number, *_ in map(str.split, lines)}


def _data_bytes() -> int | None:
    """Return the bytes of this process that count towards `RLIMIT_DATA`: private writable memory."""
    if sys.platform != "linux":
        return None
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def _lower(kind: int, most: int) -> int:
    assert resource is not None
    soft, hard = resource.getrlimit(kind)
    if soft != resource.RLIM_INFINITY and soft <= most:
        return soft
    try:
        # Leave the hard limit: no code in a worker raises the soft one again.
        resource.setrlimit(kind, (most, hard))
    except (OSError, ValueError):
        return soft
    return most


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
