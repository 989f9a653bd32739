"""Schemas of forks."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from lamplighter.runfolder.run_name import MAX_RUN_NAME
from lamplighter.serving.schemas.base import RequestBody, StepNumber


class NewFork(RequestBody):
    """A request for a fork of a run."""

    step: StepNumber
    """The step of the run that becomes the fork's step 0."""
    changes: Annotated[dict[str, Any], Field(default_factory=dict[str, Any])]
    """New values by field, such as `optimiser.learning_rate`. Without any, the fork is a control: bit-equal to the run."""
    steps: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    """Steps of the fork. By default as many as the run had left, and at least 500."""
    name: Annotated[str, Field(min_length=1, max_length=MAX_RUN_NAME)] | None = None
    upload: str | None = None
    """For the change of `corpus.kind` to `text`: the id that `POST /api/uploads` returned."""
    confirmed: bool = False
    """True to fork an imported run, once the caller knows what it takes."""
