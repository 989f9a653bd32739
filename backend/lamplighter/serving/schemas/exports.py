"""Schemas of exports and imports: the request, and the progress."""

from __future__ import annotations

from typing import Literal

from lamplighter.serving.schemas.base import HasReason, Items, RequestBody, StepNumber

FormatName = Literal["zip", "html", "parquet", "safetensors", "npy", "csv"]


class NewExport(RequestBody):
    """A request for an export."""

    format: FormatName
    step: StepNumber | None = None
    """For single-step formats; null takes the newest exactly kept step."""


class Export(HasReason):
    """A running or finished export."""

    id: str
    run: str
    format: FormatName
    step: int | None
    """As requested."""
    created: float
    state: Literal["running", "done", "failed", "cancelled"]
    share: float
    """Progress, from 0 to 1."""
    what: str
    """The current activity."""
    bytes: int
    """Bytes written so far; the size of the file once it is done."""
    name: str
    """The name of the file."""
    problem: str | None
    """The reason it failed."""
    left_out: list[str]
    """Contents missing from the file, in words."""


class ExportList(Items[Export]):
    """The exports of a run, newest first."""


class Import(HasReason):
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
