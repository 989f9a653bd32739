"""The map's nearest neighbours by matrix products on the card, compared with the processor in speed and result.

One thread of the processor on both sides, as the projector has.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.gpu.cards import facts
from benchmarks.support.map_space import made_up_clusters, move_rows
from benchmarks.support.report import report
from lamplighter.contract.recipe import MapRecipe
from living_map import nearest_neighbours
from living_map.gpu_neighbours import CpuProducts, GpuProducts, RowProducts
from living_map.nearest_neighbours import NeighbourIndex

SIZES, DIM, FRAMES = (5_000, 20_000), 64, 5
SHARE = 0.05
"""The share of rows that move from frame to frame."""


@dataclass(frozen=True)
class _Frames:
    whole: float
    """Seconds of the first frame, in which every row is ranked."""
    repaired: float
    """Median seconds of the later frames."""
    ids: NDArray[np.int32]
    cosines: NDArray[np.float32]
    """Cosines to the neighbours in the last frame."""


def compare(device: torch.device) -> bool:
    """Measure the same frames both ways, and compare the results."""
    met = True
    for size in SIZES:
        host = _frames(size, None)
        card = _frames(size, device)
        same = float((host.ids == card.ids).mean())
        off = float(np.abs(host.cosines - card.cosines).max())
        shape = {"tokens": size, "dim": DIM, "made_up": True} | facts(device)
        report(
            "gpu_neighbours", host.repaired / card.repaired, "times faster than the processor",
            frame_seconds=card.repaired, processor_frame_seconds=host.repaired,
            whole_seconds=card.whole, processor_whole_seconds=host.whole,
            threads=1, **shape,
        )  # fmt: skip
        # The rounding of a float32 product: with less (TF32, say) the map would be another.
        met &= report("gpu_neighbours_differ", off, "of a cosine at most", same_ids=same, **shape)
    return met


def _frames(size: int, device: torch.device | None) -> _Frames:
    """Follow a moving space, on the processor if `device` is None."""
    # For any size, because the faster side is to be determined.
    products = patch.object(nearest_neighbours, "make_row_products", lambda rows, _: _products(rows, device))
    with products, threadpool_limits(1):
        # Compile, and wake up the card, before timing.
        _follow(200, 2)
        return _follow(size, FRAMES)


def _follow(size: int, frames: int) -> _Frames:
    rng = np.random.default_rng(0)
    vectors = made_up_clusters(rng, size, DIM)
    neighbours = NeighbourIndex(MapRecipe().neighbours - 1)
    took: list[float] = []
    for frame in range(1 + frames):
        if frame:
            move_rows(rng, vectors, int(SHARE * size))
        begun = time.perf_counter()
        neighbours.update(vectors)
        took.append(time.perf_counter() - begun)
    return _Frames(took[0], float(np.median(took[1:])), neighbours.ids.copy(), neighbours.cosines)


def _products(rows: NDArray[np.float32], device: torch.device | None) -> RowProducts:
    return CpuProducts(rows) if device is None else GpuProducts(rows, str(device))
