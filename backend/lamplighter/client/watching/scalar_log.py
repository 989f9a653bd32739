"""The numbers that a loop logs besides its loss: checked, bounded, and stored with the next recorded step."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from lamplighter.client.errors import InputError
from lamplighter.runfolder.tables.scalars import MAX_SCALARS, SCALAR_NAME, encode_scalars

_ALL_OF_THE_FIRST = 500
"""Number of a curve's first values that are all kept; of the next as many every second one, and so on."""


class ScalarLog:
    """The numbers that wait for their step, by name."""

    def __init__(self) -> None:
        self._logged: dict[str, int] = defaultdict(int)
        self._kept: dict[str, int] = defaultdict(int)
        self._waiting: dict[str, float] = {}

    def log_scalars(self, scalars: dict[str, Any]) -> None:
        """Add numbers. A later one with the same name and step replaces the earlier. Raises InputError."""
        for name, value in scalars.items():
            if not SCALAR_NAME.fullmatch(name):
                raise InputError(
                    f"log: a curve cannot be called {name[:80]!r}: use up to 64 letters, digits, '_', '.', '/', '-'"
                )
            if name not in self._logged and len(self._logged) == MAX_SCALARS:
                raise InputError(
                    f"log: {name!r} would be curve {MAX_SCALARS + 1}; at most {MAX_SCALARS} names are kept"
                )
            number = read_number(value, name)
            if self._logged[name] % (1 << self._kept[name] // _ALL_OF_THE_FIRST) == 0:
                self._kept[name] += 1
                self._waiting[name] = number
            self._logged[name] += 1

    def take_scalars(self) -> str | None:
        """Return the waiting numbers, encoded, or None, and clear them."""
        waiting, self._waiting = self._waiting, {}
        return encode_scalars(waiting)


def read_number(value: Any, name: str) -> float:
    """Return a number, which may be a tensor or an array of one. Raises InputError."""
    try:
        return float(value.detach() if hasattr(value, "detach") else value)
    except (TypeError, ValueError, RuntimeError):
        raise InputError(
            f"log: {name} must be one number, and this is of type {type(value).__name__}: give its mean"
        ) from None
