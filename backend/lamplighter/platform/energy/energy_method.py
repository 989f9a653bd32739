"""The methods by which energy is known, each with what is known of its error.

A number of joules never goes anywhere without the name of its method.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

MethodName = Literal["nvml", "rapl", "processor"]
METHODS: tuple[MethodName, ...] = ("nvml", "rapl", "processor")
"""The methods, the best first."""


@dataclass(frozen=True)
class EnergyMethod:
    """A method, as a run records it."""

    name: MethodName
    """`nvml`: the counter of one NVIDIA card, whole, without the processor beside it. `rapl`: the counters of all processors
    of the machine, other programs' work included. `processor`: an estimate, this process' processor seconds times watts."""
    watts: float | None = None
    """Watts of a busy core that an estimate assumes; None for a counter."""
    without_card: bool = False
    """True if a graphics card does the work and its part is missing."""


@dataclass(frozen=True)
class MethodError:
    """The error of a method: the true energy lies between the joules told times `least` and times `most`, as far as the source
    says."""

    least: float
    most: float
    source: str
    url: str


_SENSOR_ERROR = 0.73
"""Relative to the truth, an external power meter: a sensor that is off by so much tells between 0.27 and 1.73 of what is true."""
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
"""Watts of a busy core that nothing is known of: the value that Green Algorithms has for any processor."""
MAX_WATTS = 1_000.0


def method_error(method: EnergyMethod) -> MethodError | None:
    """Return the error of a method; None where nobody knows it, as of watts that somebody stated."""
    if method.name == "processor":
        return _PER_CORE if method.watts == DEFAULT_WATTS else None
    return _SENSORS


class EnergyCounter(Protocol):
    """A counter of joules."""

    def joules(self) -> float | None:
        """Return joules since any fixed moment; None if the counter cannot be read now."""
        ...


class NoCounterError(Exception):
    """An error for a counter that this machine lacks or does not let this process read."""
