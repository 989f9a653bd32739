"""A bounded cache of data read from runs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")

_KEPT = 256


class LruCache(OrderedDict[object, Any]):
    """A thread-safe least-recently-used cache."""

    def __init__(self, limit: int = _KEPT, size_of: Callable[[Any], int] = lambda _: 1) -> None:
        """Keep entries of at most `limit` in total; skip an entry that would evict most of the others."""
        super().__init__()
        self._limit, self._size_of = limit, size_of
        self._size = 0
        self._lock = threading.Lock()

    def get_or_make(self, key: object, make: Callable[[], T]) -> T:
        """Return the entry of a key; make and keep it if there is none. Errors and None are not kept."""
        with self._lock:
            if key in self:
                self.move_to_end(key)
                return cast("T", self[key])
        value = make()
        if value is None:
            return value
        with self._lock:
            if key in self:
                # Another thread made it at the same time: both get the same object.
                return cast("T", self[key])
            self._keep(key, value)
        return value

    def put(self, key: object, value: object) -> None:
        """Keep an entry, in place of an earlier one of its key."""
        with self._lock:
            if key in self:
                self._size -= self._size_of(self.pop(key))
            self._keep(key, value)

    def _keep(self, key: object, value: object) -> None:
        size = self._size_of(value)
        if 3 * size <= self._limit:
            self[key] = value
            self._size += size
        while self._size > self._limit:
            self._size -= self._size_of(self.popitem(last=False)[1])
