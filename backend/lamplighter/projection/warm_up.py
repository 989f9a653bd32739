"""The warm-up of a map: imports and compilation in the background."""

from __future__ import annotations

import importlib
import threading
from dataclasses import replace
from typing import Any

import numpy as np

from lamplighter.contract.recipe import MapRecipe
from lamplighter.projection.umap_view import make_map, settings_from_recipe
from living_map.gpu_neighbours import gpu_device_for

MAX_SETTLING_FRAMES = 100
"""Frames after which an embedding at rest counts as settled at any learning rate."""
_COMPILED_MODULES = ("ranking", "fuzzy_graph", "sgd_kernel", "waking")
"""Modules of `living_map` whose functions the incremental map compiles."""


class WarmUp:
    """A background thread that imports and compiles the code of the map.

    The first time on a machine this takes seconds, later less than one; the linear view continues. Numba aborts the
    process when two threads at once run code that it made parallel, so the main thread runs none before
    `done`, and this thread none after.
    """

    def __init__(self, chosen: MapRecipe, size: int) -> None:
        self._chosen, self._size = chosen, size
        self.error: Exception | None = None
        self._functions: list[Any] = []
        """The functions to compile, as numba dispatchers."""
        self._done = threading.Event()
        self._districts_begun = False
        self._thread = threading.Thread(target=self._run, name="warm-up", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Return whether the warm-up has succeeded or failed (`error`)."""
        return self._done.is_set()

    @property
    def is_at_work(self) -> bool:
        return self._thread.is_alive()

    @property
    def share(self) -> float:
        """Return the progress towards the first layout, from 0 to 1; the layout itself is the last part."""
        parts = 2 + len(self._functions)
        ready = sum(bool(function.overloads) for function in self._functions)
        return (parts - 1 if self.done else bool(self._functions) + ready) / parts

    def import_districts(self) -> None:
        """Import the code of districts once, in the background. Call it only after the first map is drawn:
        the import takes twice as long as that map and would slow it down.
        """
        if not self._districts_begun:
            self._districts_begun = True
            self._thread = threading.Thread(
                target=importlib.import_module, args=("sklearn.cluster",), name="warm-up", daemon=True
            )
            self._thread.start()

    def _run(self) -> None:
        try:
            gpu_device_for(self._size)
            made = make_map(self._chosen)
            self._functions = compiled_functions()
            some = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
            made.change_settings(replace(settings_from_recipe(self._chosen), whole_below=0))
            # Compile the code that updates a moving embedding too, and that for rows that sleep: they do after three frames.
            for _ in range(5):
                made.draw_frame(some)
                some[:1] += 1e-4
        except Exception as error:  # noqa: BLE001  # passed on to the main thread, which raises it
            self.error = error
        finally:
            self._done.set()


def compiled_functions() -> list[Any]:
    """Return the functions that the incremental map compiles, as numba dispatchers."""
    from numba.core.dispatcher import Dispatcher

    modules = [importlib.import_module(f"living_map.{name}") for name in _COMPILED_MODULES]
    return [
        found
        for module in modules
        for found in vars(module).values()
        # Inlined functions are compiled with their callers.
        if isinstance(found, Dispatcher)
        and found.py_func.__module__ == module.__name__
        and found.targetoptions.get("inline") != "always"
    ]
