"""An estimate of energy without a counter: the CPU seconds of this process times the watts of a busy core."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable

from lamplighter.platform.energy.energy_method import DEFAULT_WATTS, MAX_WATTS

WATTS_VARIABLE = "LAMPLIGHTER_WATTS"
"""The environment variable with the watts of a busy core of this machine."""


class WattsError(ValueError):
    """An error for invalid watts; the message says what is allowed."""


def parse_watts(text: str) -> float:
    """Return the watts of a busy core. Raises WattsError if the text is not a number above 0 and at most
    1,000.
    """
    try:
        watts = float(text)
    except ValueError:
        watts = math.nan
    if not 0 < watts <= MAX_WATTS:
        raise WattsError(f"{text[:40]!r} is not a number of watts above 0 and at most {MAX_WATTS:,.0f}")
    return watts


def stated_watts() -> float:
    """Return the watts from the environment, or the default. Raises WattsError if the environment states
    invalid watts.
    """
    text = os.environ.get(WATTS_VARIABLE, "").strip()
    try:
        return parse_watts(text) if text else DEFAULT_WATTS
    except WattsError as error:
        raise WattsError(f"{WATTS_VARIABLE}: {error}") from None


class ProcessorEstimate:
    """The CPU seconds of the work times the stated watts."""

    def __init__(self, watts: float, processor_seconds: Callable[[], float] = time.process_time) -> None:
        self.watts = watts
        self._processor_seconds = processor_seconds

    def joules(self) -> float | None:
        return self.watts * self._processor_seconds()
