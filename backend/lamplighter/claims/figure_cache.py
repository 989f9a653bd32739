"""A bounded cache for figures that stay the same once a step is over."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")

_KEPT = 256


class FigureCache:
    """A least-recently-used cache of small figures, for any threads."""

    def __init__(self, limit: int = _KEPT) -> None:
        """Keep at most `limit` of them."""
        self._limit = limit
        self._kept: OrderedDict[object, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get_or_make(self, key: object, make: Callable[[], T]) -> T:
        """Return what is kept under `key`, made if it is not there. An error is not kept, nor None: it may be there later."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return cast("T", self._kept[key])
        made = make()
        if made is None:
            return made
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return made
