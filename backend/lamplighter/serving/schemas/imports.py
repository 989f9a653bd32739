"""Schema of imports: their progress."""

from __future__ import annotations

from typing import Literal

from lamplighter.serving.schemas.base import Told


class Import(Told):
    """An import, going on or over."""

    id: str
    state: Literal["receiving", "running", "done", "failed", "cancelled"]
    received: int
    """Bytes of the zip that have arrived."""
    share: float
    """Progress after the last of them, from 0 to 1."""
    run: str | None
    """The id of the new run, once it is there."""
    name: str | None
    """Its name; with a number if another run had it."""
    problem: str | None
    """The reason it failed."""
