"""The first stretch of a map, while the space has not yet settled."""

from __future__ import annotations

import threading

import numpy as np

from lamplighter.projection.methods.registry import make_method
from lamplighter.projection.umap.gpu_neighbours import gpu_device_for
from lamplighter.recipe import MapRecipe

MAX_SETTLING_FRAMES = 100
"""Frames after which an embedding at rest counts as settled, whatever the learning rate."""


class WarmUp:
    """A background thread that imports and compiles what a layout method needs.

    The first time on a machine this takes a quarter of a minute, later a few seconds; the linear view goes on
    meanwhile. Numba aborts the process when two threads run its code at once, so the main thread runs none
    before `done`, and this thread none after.
    """

    def __init__(self, chosen: MapRecipe, size: int) -> None:
        self._chosen, self._size = chosen, size
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="warm-up", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Return whether the map can be made, or failed to warm up (`error`)."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            gpu_device_for(self._size)
            method = make_method(self._chosen)
            some = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
            for _ in range(2):
                method.draw_frame(some)
                some[:5] += 1  # compile the code that updates a moving embedding too
        except Exception as error:  # noqa: BLE001  # passed on to the main thread, which raises it
            self.error = error
