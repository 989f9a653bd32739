"""The layouts of one view on a grid: each is a difference from the previous one if they share a grid."""

from __future__ import annotations

from lamplighter.wire.frames import encode
from lamplighter.wire.grid_frames import GridLayout, fit_grid, place_on_grid, subtract
from lamplighter.wire.layout_frames import Layout


class GridChain:
    """A chain of layouts of one view.

    A new viewer gets the newest whole, and the differences from then on.
    """

    def __init__(self) -> None:
        self.newest: GridLayout | None = None
        self._number = 0

    def append(self, layout: Layout) -> bytes | None:
        """Append a layout. Returns its frame, or None if it fits no grid."""
        if not len(layout.coordinates):
            return None
        newest, number = self.newest, self._number + 1
        whole = None
        if newest is not None and len(newest.places) == len(layout.coordinates):
            whole = place_on_grid(layout, newest.grid, number)
        frame = encode(subtract(whole, newest)) if whole is not None and newest is not None else None
        if whole is None:
            whole = place_on_grid(layout, fit_grid(layout), number)
            if whole is None:
                return None
        self.newest, self._number = whole, number
        return frame or encode(whole)
