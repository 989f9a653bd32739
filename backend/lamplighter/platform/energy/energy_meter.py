"""The energy meter of one process, using the best available counter.

`nvmlDeviceGetTotalEnergyConsumption` returns millijoules of the whole card since the driver was loaded, on Volta and
newer. We call it through ctypes, since four functions need no package.

Each zone is a folder `intel-rapl:0` with `name`, `energy_uj` and `max_energy_range_uj`, at which it wraps around.
Zones overlap: `core`, `uncore` and `dram` below a package are mostly included in it, `psys` includes the packages,
and `intel-rapl-mmio` is another view of the same counters. So we add up only the packages. Since 2020 only root can
read them (CVE-2020-8694).
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lamplighter.platform.energy.energy_method import (
    EnergyCounter,
    EnergyMethod,
    NoCounterError,
    ProcessorEstimate,
    SpentEnergy,
)

POWERCAP = Path("/sys/class/powercap")
_MICRO = 1e-6


@dataclass
class _Zone:
    """A counter that wraps around."""

    path: Path
    range: int
    before: int
    turned: int = 0
    """Microjoules counted before it last wrapped around."""

    def microjoules(self) -> int:
        now = int(self.path.read_text(encoding="ascii"))
        if now < self.before:
            self.turned += self.range
        self.before = now
        return self.turned + now


class RaplCounter:
    """The sum of the counters of all CPU packages. Read it before a counter wraps around, which takes some minutes."""

    def __init__(self, root: Path = POWERCAP) -> None:
        """Find the packages below `root`. Raises NoCounterError if there are no packages, or they may not be
        read.
        """
        try:
            self._zones = [
                _open_zone(folder) for folder in sorted(root.glob("intel-rapl:*")) if _is_package(folder)
            ]
        except (OSError, ValueError):
            raise NoCounterError from None
        if not self._zones:
            raise NoCounterError

    def joules(self) -> float | None:
        """Return the joules of all packages since an arbitrary fixed moment; None if they can no longer be read."""
        try:
            return _MICRO * sum(zone.microjoules() for zone in self._zones)
        except (OSError, ValueError):
            return None


def _is_package(folder: Path) -> bool:
    try:
        return (folder / "name").read_text(encoding="ascii").startswith("package")
    except FileNotFoundError:
        return False


def _open_zone(folder: Path) -> _Zone:
    range_ = int((folder / "max_energy_range_uj").read_text(encoding="ascii"))
    path = folder / "energy_uj"
    return _Zone(path, range_, int(path.read_text(encoding="ascii")))


_LIBRARY = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
_SUCCESS = 0


def load_nvml() -> Any:
    """Load the library of the driver. Raises NoCounterError if there is no such library."""
    try:
        return ctypes.CDLL(_LIBRARY)
    except OSError:
        raise NoCounterError from None


class NvmlCounter:
    """The counter of one card."""

    def __init__(self, library: Any, uuid: str) -> None:
        """Find the card by the driver's name of it, `GPU-...`; its number may differ from CUDA's. Raises
        NoCounterError if it cannot be found or read, or has no counter.
        """
        self._library, self._device = library, ctypes.c_void_p()
        try:
            self._require(library.nvmlInit_v2())
            self._require(
                library.nvmlDeviceGetHandleByUUID(
                    ctypes.c_char_p(uuid.encode("ascii", "replace")), ctypes.byref(self._device)
                )
            )
            self._millijoules = ctypes.c_ulonglong()
            self._read = library.nvmlDeviceGetTotalEnergyConsumption
            self._require(self._read(self._device, ctypes.byref(self._millijoules)))
        except AttributeError:
            raise NoCounterError from None

    def joules(self) -> float | None:
        """Return the joules of the card since its driver was loaded; None if it no longer responds."""
        status = self._read(self._device, ctypes.byref(self._millijoules))
        return self._millijoules.value / 1_000 if status == _SUCCESS else None

    @staticmethod
    def _require(status: int) -> None:
        if status != _SUCCESS:
            raise NoCounterError


class EnergyMeter:
    """A meter that can be paused."""

    def __init__(
        self,
        counter: EnergyCounter,
        method: EnergyMethod,
        before: SpentEnergy | None = None,
        processor_seconds: Callable[[], float] = time.process_time,
    ) -> None:
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
        self._spent = replace(self._spent, steps=self._spent.steps + 1)

    def pause(self) -> None:
        """Pause until `resume`: exclude what the machine takes until then."""
        if self._since is not None:
            self.spent()
            self._since = None

    def resume(self) -> None:
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
    """Return a paused meter by the best method available on this machine. `watts`: watts of a busy core, for
    an estimate. `gpu`: the driver's name of the NVIDIA card that does the work, empty for another card;
    None for the CPU. `powercap`: the folder of the CPU counters. `processor_seconds`: returns the CPU
    seconds of the work.
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
