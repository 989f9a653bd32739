"""The catalogue's cache of matrices: bounded by their bytes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.serving.reading.run_catalog import LruCache

Numbers = NDArray[np.uint8]


def numbers(size: int) -> Numbers:
    return np.zeros(size, np.uint8)


def test_the_entries_used_last_stay_while_their_bytes_fit() -> None:
    cache: LruCache[Numbers] = LruCache(90, lambda entry: entry.nbytes)
    for key in range(3):
        cache.get_or_create(key, lambda: numbers(30))
    cache.get_or_create(0, lambda: numbers(1))
    cache.get_or_create(3, lambda: numbers(20))
    assert list(cache) == [2, 0, 3]
    assert sum(entry.nbytes for entry in cache.values()) <= 90


def test_what_would_push_out_the_others_is_not_kept() -> None:
    cache: LruCache[Numbers] = LruCache(90, lambda entry: entry.nbytes)
    cache.get_or_create("small", lambda: numbers(30))
    assert len(cache.get_or_create("large", lambda: numbers(31))) == 31
    assert list(cache) == ["small"]
