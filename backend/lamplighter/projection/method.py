"""What every way of making the map has in common: the living map, the classic refit and PCA stand behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class MapSettings:
    """How the map is drawn; the first four are UMAP's own."""

    neighbours: int = 40
    """Neighbours of a token in the graph, itself included: few make islands, many make one land."""
    min_dist: float = 1.0
    """How close together tokens may lie, at most `spread`: streets rather than heaps."""
    spread: float = 1.5
    negatives: int = 5
    """Pushes for every pull."""
    horizon: int = 200
    """Epochs of a full fit; the weakest edge kept fires once in them."""
    warm_epochs: int = 10
    """Epochs a frame."""
    gain: float = 2.0
    """Learning rate for a graph of which everything changed in one frame."""
    fastest: float = 1.0
    """The highest learning rate a warm frame begins with."""
    cooling: float = 0.7
    """What is left of the learning rate from frame to frame when the space rests."""
    glide: float = 0.6
    """Share of its way to where the optimiser has it that a token goes in one frame, at most; twice over (`Glide`)."""
    calm_glide: float = 0.15
    """The same of a token with whose neighbours nothing happened, while others move."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises ValueError, with a sentence, for what no map can be drawn by."""
        if self.neighbours < 2:
            raise ValueError("neighbours must be at least 2: each token counts as its own first one")
        if not 0 <= self.min_dist <= self.spread <= 100 or self.spread <= 0:
            raise ValueError("min_dist must be from 0 to spread, and spread above 0 and at most 100")
        if self.negatives < 1 or self.horizon < 1 or self.warm_epochs < 1:
            raise ValueError("negatives, horizon and warm_epochs must be at least 1")
        if not 0 < self.calm_glide <= self.glide <= 1:
            raise ValueError("calm_glide must be above 0 and at most glide, and glide at most 1")


class MapMethod(Protocol):
    """A method that makes the map, frame after frame, of a space that moves. One thread only."""

    @property
    def places(self) -> NDArray[np.float32] | None:
        """Where the tokens lie, shape (V, 2); None before the first frame."""
        ...

    @property
    def restless(self) -> bool:
        """Whether another frame of the same space would still move the map."""
        ...

    def remember(self, vectors: NDArray[np.float32]) -> None:
        """Take in the space, shape (V, D), that the places it was started with were made for."""
        ...

    def frame(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The next frame. What moved since the last one the method finds for itself.

        Args:
            vectors: shape (V, D), D at least 2, finite; V the same every time. Not kept: the caller may
                write into it afterwards.

        Returns:
            Places, shape (V, 2). Not written into by later frames.
        """
        ...

    def change(self, settings: MapSettings) -> None:
        """Draw by other settings from the next frame on, from where the tokens lie now, never anew."""
        ...
