"""The memory of processes, sampled while they run."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psutil


@contextmanager
def peak_memory(pid: int) -> Generator[dict[str, float]]:
    """Sample the resident memory of a process and those it started; `gigabytes` is the peak once the block has ended."""
    found: dict[str, Any] = {"gigabytes": 0.0}
    done = threading.Event()

    def sample() -> None:
        while not done.wait(0.05):
            total = 0
            try:
                process = psutil.Process(pid)
                for one in (process, *process.children(recursive=True)):
                    total += one.memory_info().rss
            except psutil.Error:
                continue
            found["gigabytes"] = max(found["gigabytes"], total / 1e9)

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield found
    finally:
        done.set()
        sampler.join()
