"""The numbers that a loop logs beside its loss: checked, bounded, and kept with the step that is recorded next."""

from __future__ import annotations

import re
from typing import Any

from lamplighter.client.errors import InputError
from lamplighter.client.recorder import Recorder

MAX_SCALARS = 64
"""Maximum names in one record: each is a curve on the page."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./ @:-]{0,63}")


class ScalarLog:
    """The numbers that wait for their step, by name."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._waiting: dict[str, float] = {}

    def add(self, scalars: dict[str, Any]) -> None:
        """Add numbers; a later one of the same name and step replaces the earlier.

        Raises:
            InputError: a name cannot be kept, there are too many, or a value is no number.
        """
        for name, value in scalars.items():
            if not _NAME.fullmatch(name):
                raise InputError(
                    f"log: a curve cannot be called {name[:80]!r}: use up to 64 letters, digits, '_', '.', '/', '-'"
                )
            if name not in self._names and len(self._names) == MAX_SCALARS:
                raise InputError(
                    f"log: {name!r} would be curve {MAX_SCALARS + 1}; at most {MAX_SCALARS} names are kept"
                )
            try:
                number = float(value.detach() if hasattr(value, "detach") else value)
            except (TypeError, ValueError, RuntimeError):
                raise InputError(f"log: {name} must be one number, not of type {type(value).__name__}") from None
            self._names.add(name)
            self._waiting[name] = number

    def commit(self, recorder: Recorder) -> None:
        """Keep what waits with the step that was recorded last."""
        waiting, self._waiting = self._waiting, {}
        if waiting:
            recorder.add_scalars(waiting)
