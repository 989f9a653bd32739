"""The one part of the map that is worth a graphics card: cosines of some rows with all others.

The only module of this room that knows torch, and it imports it only where there is a card: torch and numba
each carry an OpenMP runtime, which some systems do not bear in one process, and the import takes seconds.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

WORTH_IT = 5_000
"""Rows from which the way to the card and back is the shorter one."""


class Products(Protocol):
    """Unit rows, shape (V, D), that can be multiplied with one another."""

    def replace(self, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> None:
        """Put other rows, shape (N, D), in the places of `ids`, shape (N,)."""
        ...

    def of(self, ids: NDArray[np.int64], out: NDArray[np.float32]) -> NDArray[np.float32]:
        """The products of some rows with all, written into `out`, shape (len(ids), V)."""
        ...


class HostProducts:
    """By numpy."""

    def __init__(self, units: NDArray[np.float32]) -> None:
        self._units = units

    def replace(self, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> None:
        """See `Products`."""
        self._units[ids] = rows

    def of(self, ids: NDArray[np.int64], out: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Products`."""
        return np.matmul(self._units[ids], self._units.T, out=out)


class DeviceProducts:
    """By torch, in full float32."""

    def __init__(self, units: NDArray[np.float32], device: str) -> None:
        import torch

        self._torch = torch
        self._units: torch.Tensor = torch.from_numpy(units).to(device)

    def replace(self, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> None:
        """See `Products`."""
        device = self._units.device
        self._units[self._torch.from_numpy(ids).to(device)] = self._torch.from_numpy(rows).to(device)

    def of(self, ids: NDArray[np.int64], out: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Products`."""
        some = self._units[self._torch.from_numpy(ids).to(self._units.device)]
        self._torch.from_numpy(out).copy_(some @ self._units.T)
        return out


def card_for(size: int) -> str | None:
    """The device that multiplies so many rows best; None: the processor.

    Imports torch where there may be a card and the rows are many, which takes seconds the first time.
    """
    if size >= WORTH_IT and os.path.exists("/dev/nvidiactl"):
        try:
            import torch

            if torch.cuda.is_available():
                return "cuda"
        except (ImportError, OSError):
            pass  # no torch, or one without a driver that fits: slower, not worse
    return None


def products_of(units: NDArray[np.float32]) -> Products:
    """On the card where there is one and the rows are many, else on the processor."""
    device = card_for(len(units))
    if device is not None:
        try:
            return DeviceProducts(units, device)
        except RuntimeError:
            pass  # no room on the card
    return HostProducts(units)
