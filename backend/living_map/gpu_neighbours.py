"""Similarities of some rows with all others, on a GPU if there is one: the only part of the map that gains from it.

This is the only module of the package that uses torch, and it imports torch only if there is a GPU. Torch and numba
each bring an OpenMP runtime, which some systems do not tolerate in one process, and importing torch takes seconds.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from living_map.metrics import Metric, as_queries

if TYPE_CHECKING:
    import torch

MIN_GPU_ROWS = 5_000
"""Number of rows from which the GPU is faster, transfers included."""


class RowProducts(Protocol):
    """Comparable rows, shape (V, D), whose products with one another can be computed."""

    def replace(self, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> None:
        """Replace the rows `ids`, shape (N,), by `rows`, shape (N, D)."""
        ...

    def multiply(
        self, ids: NDArray[np.int64], out: NDArray[np.float32], first: int = 0
    ) -> NDArray[np.float32]:
        """Write the products of the rows `ids` with all rows from `first` on into `out`, shape (len(ids), V - first), and
        return it."""
        ...


class CpuProducts:
    """Products computed by numpy."""

    def __init__(self, rows: NDArray[np.float32], metric: Metric = "cosine") -> None:
        self._rows = rows
        self._metric: Metric = metric

    def replace(self, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> None:
        """Implement `RowProducts.replace`."""
        self._rows[ids] = rows

    def multiply(
        self, ids: NDArray[np.int64], out: NDArray[np.float32], first: int = 0
    ) -> NDArray[np.float32]:
        """Implement `RowProducts.multiply`."""
        return np.matmul(as_queries(self._rows[ids], self._metric), self._rows[first:].T, out=out)


class GpuProducts:
    """Products computed by torch, in full float32."""

    def __init__(self, rows: NDArray[np.float32], device: str, metric: Metric = "cosine") -> None:
        import torch

        self._torch = torch
        self._metric: Metric = metric
        self._rows: torch.Tensor = torch.from_numpy(rows).to(device)

    def replace(self, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> None:
        """Implement `RowProducts.replace`."""
        device = self._rows.device
        self._rows[self._torch.from_numpy(ids).to(device)] = self._torch.from_numpy(rows).to(device)

    def multiply(
        self, ids: NDArray[np.int64], out: NDArray[np.float32], first: int = 0
    ) -> NDArray[np.float32]:
        """Implement `RowProducts.multiply`."""
        some = as_queries(self._rows[self._torch.from_numpy(ids).to(self._rows.device)], self._metric)
        self._torch.from_numpy(out).copy_(some @ self._rows[first:].T)
        return out


def gpu_device_for(size: int) -> str | None:
    """Return the torch device that multiplies `size` rows fastest, or None for the CPU.

    Imports torch if there may be a GPU and there are many rows, which takes seconds the first time.
    """
    if size >= MIN_GPU_ROWS and os.path.exists("/dev/nvidiactl"):
        try:
            import torch

            if torch.cuda.is_available():
                return "cuda"
        except (ImportError, OSError):
            pass  # torch is missing or does not match the driver: slower, but correct
    return None


def make_row_products(rows: NDArray[np.float32], metric: Metric = "cosine") -> RowProducts:
    """Return products of comparable rows, on the GPU if there is one and there are many rows, else on the CPU."""
    device = gpu_device_for(len(rows))
    if device is not None:
        try:
            return GpuProducts(rows, device, metric)
        except RuntimeError:
            pass  # the GPU is out of memory
    return CpuProducts(rows, metric)
