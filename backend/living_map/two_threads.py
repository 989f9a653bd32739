"""Ranges of rows, each worked on by a thread of its own, where there are two cores.

Only what releases the GIL gains by it: numpy's products and kernels compiled with `nogil`. The ranges do not depend on the
number of threads, so neither does a result.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

MIN_ROWS = 5_000
"""Number of rows from which they are split; fewer are worked on as one range."""


def split_range(end: int, begin: int = 0, *, of: int | None = None) -> list[tuple[int, int]]:
    """Return the rows from `begin` to `end` as ranges: two halves, or one of a small map of `of` rows."""
    if (end if of is None else of) < MIN_ROWS:
        return [(begin, end)]
    middle = begin + (end - begin) // 2
    return [(begin, middle), (middle, end)]


def run_each(work: Callable[[Part], Result], parts: list[Part]) -> list[Result]:
    """Return the results of `work` on each part, in order; parts run at the same time if there are cores.
    `work` must not call this function: the one other thread would wait for itself.
    """
    if len(parts) == 1 or _cores() == 1:
        return [work(part) for part in parts]
    rest = [_pool().submit(work, part) for part in parts[1:]]
    try:
        first = work(parts[0])
    finally:
        found = [one.result() for one in rest]
    return [first, *found]


@functools.cache
def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="living map")


if hasattr(os, "register_at_fork"):
    # A forked process has the pool, but not its thread.
    os.register_at_fork(after_in_child=_pool.cache_clear)
