"""Trouble at a chosen place of ours: a trace function that raises there."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import lamplighter

Place = tuple[str, int]
OURS = str(Path(lamplighter.__file__).parent)


@functools.cache
def _last_line(code: CodeType) -> int:
    return max(line for *_, line in code.co_lines() if line is not None)


class PlantedTrouble:
    """A trace function that notes the places of ours, and raises an exception at one of them, once."""

    def __init__(
        self, at: Place | None = None, error: BaseException | None = None, *, lines: bool = False
    ) -> None:
        """Plan what is to happen.

        Args:
            at: the place; None: places are noted.
            error: what is raised there.
            lines: whether every line is a place, or only the beginning of every function that another of ours calls.
        """
        self._at, self._error, self._lines = at, error, lines
        self.places: dict[Place, str] = {}
        """The places, with the names of their functions."""
        self.happened = False

    @contextmanager
    def here(self) -> Iterator[None]:
        """Trace this block."""
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            yield
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        # A generator begins again each time that it goes on, at last when it is freed.
        if not code.co_filename.startswith(OURS) or code.co_flags & inspect.CO_GENERATOR:
            return None
        if self._at and not self._leads_there(code):
            return None
        caller = frame.f_back
        if self._lines or (caller and caller.f_code.co_filename.startswith(OURS)):
            place = code.co_filename, frame.f_lineno
            self.places[place] = code.co_qualname
            if place == self._at and not self.happened:
                self.happened = True
                assert self._error is not None
                raise self._error
        return self._trace if self._lines else None

    def _leads_there(self, code: CodeType) -> bool:
        """Return whether the place is within a function, and nothing has happened yet."""
        file, line = self._at or ("", 0)
        return (
            not self.happened and code.co_filename == file and code.co_firstlineno <= line <= _last_line(code)
        )
