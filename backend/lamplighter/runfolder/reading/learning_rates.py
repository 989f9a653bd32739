"""The learning rates set by requests, and the steps from which they apply."""

from __future__ import annotations

import math
from typing import Any

from lamplighter.runfolder.tables.requests import AppliedRequest
from lamplighter.runfolder.tables.steps_reader import StepsReader


def requested_rates(reader: StepsReader) -> dict[int, float]:
    """Return the learning rates set by requests on the lineage, by the first step with each."""
    lineage = reader.lineage()
    return {
        applied.step: rate
        for applied in reader.applied()
        if (rate := requested_learning_rate(applied)) is not None
        and lineage.counts(applied.attempt, applied.step)
    }


def requested_learning_rate(applied: AppliedRequest) -> float | None:
    """Return the learning rate set by an applied request; None if it set none."""
    name = {"learning_rate": "value", "continue": "learning_rate"}.get(applied.kind)
    return positive_number(applied.body.get(name)) if name else None


def positive_number(value: Any) -> float | None:
    """Return a finite number above 0 as a float; None for any other value."""
    if isinstance(value, int | float) and math.isfinite(value) and value > 0:
        return float(value)
    return None
