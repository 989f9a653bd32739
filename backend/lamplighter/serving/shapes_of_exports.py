"""Exports: asked for, and how far they are."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from lamplighter.serving.shapes import AskedBody, Step


class NewExport(AskedBody):
    """What to export."""

    format: Literal["zip", "html", "embedding-projector", "parquet", "safetensors", "npy", "csv"]
    step: Step | None = None
    """For formats of one step; null takes the newest that was kept exactly."""


class Export(BaseModel):
    """An export that is being made, or over."""

    id: str
    run: str
    format: str
    step: int | None
    """As it was asked for."""
    created: float
    state: Literal["running", "done", "failed", "cancelled"]
    share: float
    """How much of it is done, from 0 to 1."""
    what: str
    """What is being done."""
    bytes: int
    """Written so far; of the file, once it is done."""
    name: str
    """What the file is called."""
    problem: str | None
    """Why it failed."""
    left_out: list[str]
    """What the file does not hold, in words."""
