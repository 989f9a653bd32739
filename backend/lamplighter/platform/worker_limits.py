"""Limits on what a worker takes: open files, core dumps, and its own memory.

A run may be a stranger's, and what it asks for is then a stranger's too: with a limit its worker fails with a sentence,
where the system would end whatever takes the most memory, the server for one. Only Linux holds a process to a limit on
its memory; elsewhere, and where a graphics card's driver reserves addresses far beyond any memory, there is none.
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
"""Files that a worker may have open; it needs some dozens."""
_SLACK_BYTES = 3_000_000_000
"""Beyond what the work needs: stacks of threads, arenas and compilers, which are mostly never touched."""
_HEADROOM = 4
"""How much more than its estimate the work may take."""
_MACHINE_SHARE = 0.75
"""Share of the machine's memory that one worker may take, whatever it was estimated to need."""
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_MEMORY = Path("/proc/meminfo")
_CGROUP_USES = (
    (Path("/sys/fs/cgroup/memory.current"), "inactive_file"),
    (Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"), "total_inactive_file"),
)
"""Files with the bytes that a container uses, and the part of it that the system gives back when it is needed, by its name in `memory.stat`."""
_GRAPHICS_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


def limit_worker_files() -> None:
    """Limit the open files of this process to `MAX_OPEN_FILES`, and let it leave no core dump, which would hold the
    text. A limit that is lower already stays."""
    if resource is None:
        return
    for kind, most in ((resource.RLIMIT_NOFILE, MAX_OPEN_FILES), (resource.RLIMIT_CORE, 0)):
        _lower(kind, most)


@contextmanager
def bounded_memory(needed: int) -> Generator[int | None]:
    """Limit the memory of this process within the block, with wide headroom above what it needs.

    Args:
        needed: the estimated bytes that the work will take beyond what the process has now.

    Yields:
        The bytes that the process may have in all; None where there is no limit: not on Linux, and not where there is
        a graphics card.
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
    """Return the bytes that this process may have in all if its work needs so many more than it has now; None where
    that cannot be limited."""
    present = _data_bytes()
    if resource is None or present is None or has_graphics_driver():
        return None
    machine = machine_memory()
    wanted = _HEADROOM * needed
    return (
        present + _SLACK_BYTES + (wanted if machine is None else min(wanted, int(machine * _MACHINE_SHARE)))
    )


def machine_memory() -> int | None:
    """Return the bytes of memory that this machine, or the container on it, has; None if it does not say."""
    found: list[int] = []
    with suppress(AttributeError, OSError, ValueError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in _CGROUP_LIMITS:
        with suppress(OSError, ValueError):
            found.append(int(path.read_text(encoding="ascii")))
    return min((size for size in found if size > 0), default=None)


def available_memory() -> int | None:
    """Return the bytes that a process may take now without others being swapped out or ended; None if this machine does
    not say, as only Linux does."""
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
    """Return whether there may be a graphics card that torch computes on by a driver of its own."""
    return any(os.path.exists(path) for path in _GRAPHICS_DRIVERS)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory could not be had: Python's own, or that of torch on a processor."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def _read_numbers(path: Path) -> dict[str, int]:
    """Return the numbers of a file of the system with a name and a number in each line."""
    lines = path.read_text(encoding="ascii").splitlines()
    return {name: int(number) for name, number, *_ in map(str.split, lines)}


def _data_bytes() -> int | None:
    """Return the bytes that `RLIMIT_DATA` counts of this process now: private memory that it may write to."""
    if sys.platform != "linux":
        return None
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def _lower(kind: int, most: int) -> int:
    """Lower a limit of this process to `most` where it is higher. Return the limit that holds."""
    assert resource is not None
    soft, hard = resource.getrlimit(kind)
    if soft != resource.RLIM_INFINITY and soft <= most:
        return soft
    try:
        # The hard limit stays: nothing in a worker raises the soft one again.
        resource.setrlimit(kind, (most, hard))
    except (OSError, ValueError):
        return soft
    return most
