"""BLAS on one thread, for work that has threads of its own.

BLAS threads wait for each other by spinning: when several jobs use them at once, each takes many times as long.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

_lock = threading.Lock()
_limits: list[threadpool_limits] = []
"""One for each that holds the limit; the first knows how many threads there were before."""


@contextmanager
def one_blas_thread() -> Generator[None]:
    """Limit BLAS in this process to one thread, until the last of those that do so at once has left."""
    with _lock:
        _limits.append(threadpool_limits(1, user_api="blas"))
    try:
        yield
    finally:
        with _lock:
            limit = _limits.pop()
            if not _limits:
                limit.restore_original_limits()
