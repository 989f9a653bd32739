"""The energy meter of one process, using the best available counter."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lamplighter.platform.energy.energy_method import EnergyCounter, EnergyMethod, NoCounterError, SpentEnergy
from lamplighter.platform.energy.nvml_counter import NvmlCounter, load_nvml
from lamplighter.platform.energy.processor_estimate import ProcessorEstimate
from lamplighter.platform.energy.rapl_counter import POWERCAP, RaplCounter


class EnergyMeter:
    """A meter that can be paused."""

    def __init__(
        self,
        counter: EnergyCounter,
        method: EnergyMethod,
        before: SpentEnergy | None = None,
        processor_seconds: Callable[[], float] = time.process_time,
    ) -> None:
        """Start paused, at what was spent `before`."""
        self.method = method
        self._counter, self._processor_seconds = counter, processor_seconds
        self._spent = before or SpentEnergy()
        self._since: tuple[float | None, float, float] | None = None

    def spent(self) -> SpentEnergy:
        """Return what the work has taken so far. Takes microseconds."""
        if self._since is not None:
            since, now = self._since, self._now()
            joules = 0.0 if since[0] is None or now[0] is None else max(0.0, now[0] - since[0])
            self._spent = SpentEnergy(
                self._spent.joules + joules,
                self._spent.processor_seconds + now[1] - since[1],
                self._spent.seconds + now[2] - since[2],
                self._spent.steps,
            )
            self._since = now
        return self._spent

    def count_step(self) -> None:
        """Count a computed step."""
        self._spent = replace(self._spent, steps=self._spent.steps + 1)

    def pause(self) -> None:
        """Pause until `resume`: exclude what the machine takes until then."""
        if self._since is not None:
            self.spent()
            self._since = None

    def resume(self) -> None:
        """Resume measuring."""
        if self._since is None:
            self._since = self._now()

    def _now(self) -> tuple[float | None, float, float]:
        return self._counter.joules(), self._processor_seconds(), time.monotonic()


def open_meter(
    watts: float,
    gpu: str | None,
    before: SpentEnergy | None = None,
    *,
    load: Callable[[], Any] = load_nvml,
    powercap: Path = POWERCAP,
    processor_seconds: Callable[[], float] = time.process_time,
) -> EnergyMeter:
    """Return a paused meter by the best method available on this machine.

    Args:
        watts: watts of a busy core, for an estimate.
        gpu: the driver's name of the NVIDIA card that does the work, empty for another card; None for the CPU.
        before: what was spent before.
        load: loads NVIDIA's library.
        powercap: the folder of the CPU counters.
        processor_seconds: returns the CPU seconds of the work.
    """
    if gpu is not None:
        with suppress(NoCounterError):
            return EnergyMeter(NvmlCounter(load(), gpu), EnergyMethod("nvml"), before, processor_seconds)
    without_card = gpu is not None
    with suppress(NoCounterError):
        return EnergyMeter(
            RaplCounter(powercap), EnergyMethod("rapl", None, without_card), before, processor_seconds
        )
    return EnergyMeter(
        ProcessorEstimate(watts, processor_seconds),
        EnergyMethod("processor", watts, without_card),
        before,
        processor_seconds,
    )
