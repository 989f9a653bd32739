"""The cache of run data, bounded by the bytes of its entries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.reading.lru_cache import LruCache

Numbers = NDArray[np.uint8]


def numbers(size: int) -> Numbers:
    return np.zeros(size, np.uint8)


def test_keeps_recently_used_entries_within_the_limit() -> None:
    cache = LruCache(90, lambda entry: entry.nbytes)
    for key in range(3):
        cache.get_or_make(key, lambda: numbers(30))
    cache.get_or_make(0, lambda: numbers(1))
    cache.get_or_make(3, lambda: numbers(20))
    assert list(cache) == [2, 0, 3]
    assert sum(entry.nbytes for entry in cache.values()) <= 90


def test_skips_entries_that_would_evict_most_others() -> None:
    cache = LruCache(90, lambda entry: entry.nbytes)
    cache.get_or_make("small", lambda: numbers(30))
    assert len(cache.get_or_make("large", lambda: numbers(31))) == 31
    assert list(cache) == ["small"]
