"""The learning rates set by requests, and the steps from which they apply."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from lamplighter.runfolder.tables.requests import AppliedRequest
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse

_BLOCK = 256
"""Recorded steps read at a time."""


def requested_rates(reader: StepsReader) -> dict[int, float]:
    """Return the learning rates set by requests on the lineage, by the first step with each."""
    lineage = reader.lineage()
    return {
        applied.step: rate
        for applied in reader.applied()
        if (rate := requested_learning_rate(applied)) is not None
        and lineage.counts(applied.attempt, applied.step)
    }


def rates_of_steps(reader: StepsReader, initial: float, first: int, last: int) -> list[float]:
    """Return the learning rates of the steps from `first` to `last`, from 1, inclusive, in full precision. A
    step that is not recorded has the rate of the step before it, or that of a request. `initial`: the
    recipe's rate.
    """
    requested = requested_rates(reader)
    known = known_rates(reader, initial)
    rate = max(((step, rate) for step, rate in requested.items() if step < first), default=(0, initial))[1]
    rates: list[float] = []
    for start in range(first - 1, last + 1, _BLOCK):
        block = range(start, min(start + _BLOCK, last + 1))
        recorded = {step: decode_as(data, Pulse).learning_rate for step, data in reader.pulses_at(block)}
        for step in block:
            rate = recorded_rate(requested.get(step, rate), recorded.get(step), known)
            rates.append(rate)
    return rates[1:]


def known_rates(reader: StepsReader, *rates: float) -> set[float]:
    """Return `rates` with those of all requests, of superseded attempts too."""
    asked = (requested_learning_rate(applied) for applied in reader.applied())
    return {*rates, *(rate for rate in asked if rate is not None)}


def recorded_rate(rate: float, recorded: float | None, known: Iterable[float]) -> float:
    """Return the learning rate of a step in full precision.

    The record has it in 32 bits, and requests give the rest; a run that continued after a failure may have a
    rate that no request on its lineage gives.
    """
    if recorded is None or np.float32(rate) == np.float32(recorded):
        return rate
    return next((one for one in sorted(known) if np.float32(one) == np.float32(recorded)), recorded)


def requested_learning_rate(applied: AppliedRequest) -> float | None:
    """Return the learning rate set by an applied request; None if it set none."""
    name = {"learning_rate": "value", "continue": "learning_rate"}.get(applied.kind)
    return positive_number(applied.body.get(name)) if name else None


def positive_number(value: Any) -> float | None:
    """Return a finite number above 0 as a float; None for any other value."""
    if isinstance(value, int | float) and math.isfinite(value) and value > 0:
        return float(value)
    return None
