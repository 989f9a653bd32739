"""The settings of the map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Motion = Literal["smooth", "faithful"]
"""How rows move from frame to frame: see `MapSettings.motion`."""


@dataclass(frozen=True)
class MapSettings:
    """Settings of the map; the first four are UMAP's own."""

    neighbours: int = 40
    """Neighbours of a token in the graph, including itself: few make islands, many make one continent."""
    min_dist: float = 1.0
    """Distance to which tokens may approach each other, at most `spread`: makes streets rather than heaps."""
    spread: float = 1.5
    negatives: int = 5
    """Pushes per pull."""
    horizon: int = 200
    """Epochs of a full fit; the weakest edge that is kept fires once in them."""
    warm_epochs: int = 10
    """Epochs per frame."""
    gain: float = 2.0
    """Learning rate for a graph that changed completely in one frame."""
    max_learning_rate: float = 1.0
    """The highest learning rate with which a warm frame starts."""
    learning_rate_decay: float = 0.7
    """Factor on the learning rate from frame to frame when the embedding rests."""
    glide: float = 0.6
    """Maximum share of the way to the optimiser's position that a token moves in one frame; applied twice
    (`PositionSmoother`)."""
    calm_glide: float = 0.15
    """The share for a token whose neighbours did not change, while others move."""
    motion: Motion = "smooth"
    """"smooth": every token follows its neighbours, in a glide. "faithful": a token moves on the map as it moved in the space,
    so that a long way there is a long way here and a token at rest stays; for whole steps with many epochs each."""
    whole_below: int = 5_000
    """Number of rows below which each frame optimises all of them; from it on, those whose neighbourhood changed
    (`waking.py`)."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError, with a readable message, for invalid settings."""
        if self.neighbours < 2:
            raise ValueError("neighbours must be at least 2: each token counts as its own first one")
        if not 0 <= self.min_dist <= self.spread <= 100 or self.spread <= 0:
            raise ValueError("min_dist must be from 0 to spread, and spread above 0 and at most 100")
        if self.negatives < 1 or self.horizon < 1 or self.warm_epochs < 1:
            raise ValueError("negatives, horizon and warm_epochs must be at least 1")
        if not 0 < self.calm_glide <= self.glide <= 1:
            raise ValueError("calm_glide must be above 0 and at most glide, and glide at most 1")
        if self.motion not in get_args(Motion):
            raise ValueError(f'motion must be "smooth" or "faithful", not {self.motion!r}')
