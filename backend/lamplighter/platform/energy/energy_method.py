"""The methods of measuring energy, with their errors, and what was spent by one.

Joules are always reported with the name of their method.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

MethodName = Literal["nvml", "rapl", "processor"]
METHODS: tuple[MethodName, ...] = ("nvml", "rapl", "processor")
"""The methods, best first."""


@dataclass(frozen=True)
class EnergyMethod:
    """A method as recorded in a run."""

    name: MethodName
    """`nvml`: the counter of one whole NVIDIA card, without the CPU. `rapl`: the counters of all CPUs of the machine,
    including other programs. `processor`: an estimate, the CPU seconds of this process times watts."""
    watts: float | None = None
    """Watts of a busy core assumed by an estimate; None for a counter."""
    without_card: bool = False
    """True if a graphics card does the work and its energy is missing."""


@dataclass(frozen=True)
class SpentEnergy:
    """The energy and the time that the work has taken since it began."""

    joules: float = 0.0
    processor_seconds: float = 0.0
    """CPU seconds of this process on all cores."""
    seconds: float = 0.0
    """Wall-clock seconds, without pauses."""
    steps: int = 0
    """Training steps, each as often as it was computed."""


@dataclass(frozen=True)
class MethodError:
    """The error of a method: according to the source, the true energy lies between `least` and `most` times the
    reported joules."""

    least: float
    most: float
    source: str
    url: str


_SENSOR_ERROR = 0.73
"""Relative to an external power meter: a sensor with this error reports between 0.27 and 1.73 times the true value."""
_SENSORS = MethodError(
    1 / (1 + _SENSOR_ERROR),
    1 / (1 - _SENSOR_ERROR),
    "Fahad et al. 2019, A Comparative Study of Methods for Measurement of Energy of Computing: sensors on the chip were off"
    " by up to 73 % on average",
    "https://www.mdpi.com/1996-1073/12/11/2204",
)
_PER_CORE = MethodError(
    3.8 / 12,
    23.8 / 12,
    "Green Algorithms (Lannelongue, Grealey and Inouye 2021), table of processors: 12 W for any core, 3.8 to 23.8 W by model",
    "https://github.com/GreenAlgorithms/green-algorithms-tool/blob/master/data/latest/TDP_cpu.csv",
)
DEFAULT_WATTS = 12.0
"""Watts of a busy core of an unknown model: the value of Green Algorithms for any CPU."""
MAX_WATTS = 1_000.0


def method_error(method: EnergyMethod) -> MethodError | None:
    """Return the error of a method; None if unknown, as for watts stated by the user."""
    if method.name == "processor":
        return _PER_CORE if method.watts == DEFAULT_WATTS else None
    return _SENSORS


class EnergyCounter(Protocol):
    """A counter of joules."""

    def joules(self) -> float | None:
        """Return joules since an arbitrary fixed moment; None if the counter cannot be read now."""
        ...


class NoCounterError(Exception):
    """An error for a counter that is missing or that this process may not read."""


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
