"""Similarities of some rows with all others, on a GPU if there is one: the only part of the map that gains from it.

This is the only module of the package that uses torch, and it imports torch only if there is a GPU. Torch and numba
each bring an OpenMP runtime, which some systems do not tolerate in one process, and importing torch takes seconds.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from living_map import two_threads
from living_map.ranking import ROUNDING, least_products
from living_map.rows import Metric, as_queries
from living_map.two_threads import run_each, split_range

if TYPE_CHECKING:
    import torch

MIN_GPU_ROWS = 5_000
"""Number of rows from which the GPU is faster, transfers included."""
_BLOCK = 1024
"""Rows multiplied by others at once on the processor: many, because each is read again for every tile of others."""
_CACHED = 1 << 18
"""Products that stay in the processor's cache until they have been looked through."""
_PRODUCTS = 16 << 20
"""Products made at once, at most, where they need not stay in a cache: 64 MB."""


class RowProducts(Protocol):
    """Comparable rows, shape (V, D), whose products with one another can be computed, from several threads at once."""

    def tile(self, size: int, count: int) -> tuple[int, int]:
        """Return how many of `count` rows are best multiplied by how many of all `size` rows at once."""
        ...

    def replace(self, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> None:
        """Replace the rows `ids`, shape (N,), by `rows`, shape (N, D)."""
        ...

    def queries(self, ids: NDArray[np.int64]) -> Any:
        """Return the rows `ids`, shape (B,), as `multiply` takes them."""
        ...

    def multiply(self, queries: Any, begin: int, end: int, out: NDArray[np.float32]) -> None:
        """Write the products of queries with the rows from `begin` to `end` into `out`, shape (B, end - begin)."""
        ...

    def least(self, queries: Any, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the least product of each query with the rows `ids`, shape (B, K), to a rounding below it; shape (B,)."""
        ...


class CpuProducts:
    """Products computed by numpy."""

    def __init__(self, rows: NDArray[np.float32], metric: Metric = "cosine") -> None:
        self._rows = rows
        self._metric: Metric = metric

    def tile(self, size: int, count: int) -> tuple[int, int]:
        """Choose a megabyte, which stays in the cache."""
        if size < two_threads.MIN_ROWS:
            # Another shape may round otherwise, and small maps stay what they were.
            return _whole_rows(size), size
        block = min(count, _BLOCK)
        return block, _CACHED // block

    def replace(self, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> None:
        self._rows[ids] = rows

    def queries(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        return as_queries(self._rows[ids], self._metric)

    def multiply(self, queries: Any, begin: int, end: int, out: NDArray[np.float32]) -> None:
        np.matmul(queries, self._rows[begin:end].T, out=out)

    def least(self, queries: Any, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        found = np.empty(len(ids), dtype=np.float32)
        run_each(
            lambda part: least_products(queries, self._rows, ids, found, *part),
            split_range(len(ids), of=len(self._rows)),
        )
        return found


class GpuProducts:
    """Products computed by torch, in full float32."""

    def __init__(self, rows: NDArray[np.float32], device: str, metric: Metric = "cosine") -> None:
        import torch

        self._torch = torch
        self._metric: Metric = metric
        self._rows: torch.Tensor = torch.from_numpy(rows).to(device)

    def tile(self, size: int, count: int) -> tuple[int, int]:
        """Choose few transfers."""
        return _whole_rows(size), size

    def replace(self, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> None:
        device = self._rows.device
        self._rows[self._torch.from_numpy(ids).to(device)] = self._torch.from_numpy(rows).to(device)

    def queries(self, ids: NDArray[np.int64]) -> torch.Tensor:
        return as_queries(self._rows[self._torch.from_numpy(ids).to(self._rows.device)], self._metric)

    def multiply(self, queries: Any, begin: int, end: int, out: NDArray[np.float32]) -> None:
        self._torch.from_numpy(out).copy_(queries @ self._rows[begin:end].T)

    def least(self, queries: Any, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        others = self._rows[self._torch.from_numpy(ids).long().to(self._rows.device)]
        found = (others @ queries[:, :, None]).amin(dim=(1, 2))
        return (found - ROUNDING * (1 + found.abs())).cpu().numpy()


def _whole_rows(size: int) -> int:
    """Return how many rows are multiplied by all at once where a tile is not split."""
    return max(1, min(size, _PRODUCTS // size))


def gpu_device_for(size: int) -> str | None:
    """Return the torch device that multiplies `size` rows fastest, or None for the CPU. Imports torch if
    there may be a GPU and there are many rows, which takes seconds the first time.
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
    """Return products of comparable rows, on the GPU if there is one and there are many rows."""
    device = gpu_device_for(len(rows))
    if device is not None:
        try:
            return GpuProducts(rows, device, metric)
        except RuntimeError:
            pass  # the GPU is out of memory
    return CpuProducts(rows, metric)
