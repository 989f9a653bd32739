"""The energy counter of an NVIDIA card, from NVIDIA's management library, which comes with the driver.

`nvmlDeviceGetTotalEnergyConsumption` returns millijoules of the whole card since the driver was loaded, on Volta and
newer. We call it through ctypes, since four functions need no package.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

from lamplighter.platform.energy.energy_method import NoCounterError

_LIBRARY = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
_SUCCESS = 0


def load_nvml() -> Any:
    """Load the library of the driver.

    Raises:
        NoCounterError: there is no such library.
    """
    try:
        return ctypes.CDLL(_LIBRARY)
    except OSError:
        raise NoCounterError from None


class NvmlCounter:
    """The counter of one card."""

    def __init__(self, library: Any, uuid: str) -> None:
        """Find the card.

        Args:
            library: the library, as `load_nvml` returns it.
            uuid: the driver's name of the card, `GPU-...`; its number may differ from CUDA's.

        Raises:
            NoCounterError: the card cannot be found or read, or has no counter.
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
