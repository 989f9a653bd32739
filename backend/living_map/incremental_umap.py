"""An incremental UMAP layout that follows an embedding while it moves.

Each frame: update the exact neighbours and their fuzzy graph where they changed, run a few epochs of UMAP's
optimiser (McInnes, Healy and Melville 2018) from the positions reached so far, then align the result rigidly
to the last frame. What makes this calm, where refitting jumps:

- the counters of each edge's next pull are carried from frame to frame, so that weak edges get their turn even with a
  few epochs per frame; a new edge starts at a random point of its period;
- the positions are never rescaled;
- the learning rate falls to zero within each frame, and from frame to frame follows how much the graph
  changed: an embedding at rest gives, after a short settling, a map at rest;
- the displayed positions are not the optimiser's, which tremble, but follow them smoothly. A token whose
  neighbours changed little follows more slowly than the others. (Not in `motion="faithful"`, where mobility takes the
  place of alignment and smoothing.)

`docs/map.md` has the measured effect of each, and what else was tried.

Faithful motion: UMAP's forces move every token a little in every epoch, so a map that follows a moving space is restless where the
space is at rest, and says little about who moved. Here each token takes a share of the optimiser's steps, its
mobility, in proportion to the way it has just moved in the space: those at rest are the ground that the others move
on. A token that moves first goes along with its neighbourhood, from the middle of its former neighbours to that of
its present ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from living_map.fuzzy_graph import MembershipStrengths
from living_map.nearest_neighbours import NeighbourIndex, NeighbourUpdate
from living_map.optimiser import EdgeOptimiser
from living_map.placing import place_beside
from living_map.principal_components import add_noise, principal_start
from living_map.procrustes import align_to_previous
from living_map.rows import Metric
from living_map.settings import MapSettings
from living_map.sgd_kernel import AttractionCurve
from living_map.waking import RowRates

_NEAR = 1e-3
"""Fraction of the map's diameter within which a token counts as arrived."""


class PositionSmoother:
    """Displayed positions, shape (V, 2), that follow target positions as a critically damped spring.

    Pushes from random tokens make every position tremble. A running mean over the last frames, as in averaging the
    iterates of any stochastic descent (Polyak and Juditsky 1992), is both calmer and nearer to the centre of the
    tremble. But it starts towards every new position at once, so each tremble still shows as a jerk. The running mean
    of that mean does not: it accelerates first, and a tremble is over before it has gathered speed. For the same delay
    behind a real motion its steps are less than half as long (at a share of 0.15, a third).
    """

    def __init__(self, coordinates: NDArray[np.float32]) -> None:
        """Start at rest at `coordinates`."""
        self.shown: NDArray[np.float32] = coordinates
        """The displayed positions: a new array each time."""
        self._mean: NDArray[np.float32] = coordinates
        """The first running mean, which the displayed positions follow."""

    def advance(self, reached: NDArray[np.float32], share: NDArray[np.floating] | float) -> None:
        """Move the mean a share of its way to `reached`, and the displayed positions as much to the mean.
        Behind a steady motion the displayed positions lag 2 (1 / share - 1) frames. `share`: from 0 to 1, a
        scalar or shape (V, 1).
        """
        self._mean = (self._mean + share * (reached - self._mean)).astype(np.float32)
        self.shown = (self.shown + share * (self._mean - self.shown)).astype(np.float32)

    def has_arrived(self, reached: NDArray[np.float32]) -> bool:
        """Return whether every token is near its position in `reached`, and not moving past it."""
        limit = _NEAR * float(np.hypot(*np.ptp(reached, axis=0)))
        away = max(np.abs(reached - self.shown).max(), np.abs(self._mean - self.shown).max())
        return bool(away <= limit)

    def exchange_rows(self, stay: NDArray[np.int64], arrived: NDArray[np.float32]) -> None:
        """Keep the rows `stay`, and append others at rest at `arrived`, shape (N, 2)."""
        self.shown = np.concatenate((self.shown[stay], arrived))
        self._mean = np.concatenate((self._mean[stay], arrived))

    def jump_to(self, reached: NDArray[np.float32]) -> None:
        self.shown = self._mean = reached


_WHOLE_STEPS = 10.0
"""Multiple of the mean way in the space from which on a token takes the optimiser's whole steps."""


def row_mobility(travelled: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the share of the optimiser's steps that each token takes, (V, 1): 1 from ten times the mean way
    on. `travelled`: how far each moved in the space, shape (V,); infinite for one that has just arrived.
    """
    finite = np.isfinite(travelled)
    mean = travelled[finite].mean() if finite.any() else 0.0
    return np.minimum(1, travelled / max(_WHOLE_STEPS * mean, 1e-30))[:, None].astype(np.float32)


def neighbour_means(coordinates: NDArray[np.float32], ids: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the mean position of each token's neighbours, `ids`, shape (V, k); shape (V, 2)."""
    return coordinates[ids].mean(axis=1)


_FITTED_IN_PARTS_FROM = 20_000
"""Number of rows from which the first fit is shown before it is done."""
_FIRST_EPOCHS, _PART_EPOCHS = 50, 25
"""Its epochs in the first frame, and in each of the next."""
_HURRIED_FROM = 20_000
"""Number of rows from which a frame has half the epochs while most of the rows are awake and the graph changes."""
_RATE_AFTER_FIT = 0.1
"""Learning rate of the frame after a fit."""
_RESTING_RATE = 0.003
"""Learning rate below which no visible motion remains, so that the map rests."""


class IncrementalUmap:
    """The layout and all state carried from frame to frame. For one thread only."""

    def __init__(
        self,
        settings: MapSettings | None = None,
        coordinates: NDArray[np.float32] | None = None,
        metric: Metric = "cosine",
    ) -> None:
        """Start from scratch, or from the positions of an earlier process, shape (V, 2)."""
        self.metric: Metric = metric
        """The metric that defines nearness."""
        self.settings = settings = settings or MapSettings()
        self.learning_rate = self._common_rate = _RATE_AFTER_FIT
        """The highest learning rate with which a row began the last warm frame."""
        self._rates = RowRates(0, 0.0)
        self._some_sleep = False
        self.last_update: NeighbourUpdate | None = None
        """The last frame's update of the neighbours; None before the first."""
        self._optimised = coordinates
        self._smoother = None if coordinates is None else PositionSmoother(coordinates)
        self._gliding = False
        self._random = np.random.default_rng(settings.seed)
        self._neighbours = NeighbourIndex(settings.neighbours - 1, self.metric)
        self._strengths = MembershipStrengths()
        self._optimiser = EdgeOptimiser(
            AttractionCurve.fit(settings.spread, settings.min_dist), settings.negatives, self._random
        )
        self._epochs_left = 0

    @property
    def coordinates(self) -> NDArray[np.float32] | None:
        """Return the displayed positions, shape (V, 2), or None before the first frame."""
        return None if self._smoother is None else self._smoother.shown

    @property
    def nearest(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return every token's neighbours and their cosines in the last embedding, shape (V, K) each."""
        return self._neighbours.ids, self._neighbours.cosines

    @property
    def fitting(self) -> bool:
        """Return whether the first fit goes on: of many rows, the first frame shows a part of its epochs."""
        return self._epochs_left > 0

    @property
    def unsettled(self) -> bool:
        """Return whether another frame of the same embedding would still move the map."""
        return self._smoother is None or self.learning_rate >= _RESTING_RATE or self._gliding

    def resume_from(self, vectors: NDArray[np.float32]) -> None:
        """Load the embedding of the initial positions, shape (V, D)."""
        if len(vectors) > 2:
            self._update_graph(vectors)

    def draw_frame(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute positions, (V, 2), of the next frame, (V, D), D at least 2, finite; V stays the same."""
        size = len(vectors)
        if size <= 2:
            self._optimised = np.array([[0, 0], [1, 0]], dtype=np.float32)[:size]
            self._smoother = PositionSmoother(self._optimised)
            self.learning_rate = 0.0
            return self._optimised
        if len(self._rates.rates) != size:
            self._optimiser.seed_rows(size)
            self._rates = RowRates(size, self.learning_rate)
        around = None
        if (
            self.settings.motion == "faithful"
            and self._optimiser.graph is not None
            and self._optimised is not None
        ):
            around = neighbour_means(self._optimised, self._neighbours.ids)
        unrest, change = self._update_graph(vectors)
        if self._smoother is None or self._optimised is None:
            self._epochs_left = self.settings.horizon
            part = self._epochs_left if size < _FITTED_IN_PARTS_FROM else _FIRST_EPOCHS
            self._optimised = self._fit_on(principal_start(vectors, self._random), part)
            self._smoother = PositionSmoother(self._optimised)
            return self._optimised
        return self._draw(unrest, change, around)

    def _draw(
        self, unrest: NDArray[np.float32], change: float, around: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Optimise and smooth the positions of the last frame, by what `_update_graph` returned. `around`: as
        `_move_faithfully` takes it.
        """
        assert self._smoother is not None
        assert self._optimised is not None
        settings = self.settings
        if self.fitting:
            reached = self._fit_on(self._optimised, _PART_EPOCHS)
            self._optimised = align_to_previous(reached, self._smoother.shown)
            self._smoother.jump_to(self._optimised)
            return self._optimised
        wanted = min(settings.max_learning_rate, settings.gain * change)
        self._common_rate = max(wanted, settings.learning_rate_decay * self._common_rate)
        if settings.motion == "faithful":
            self.learning_rate = self._common_rate
            if self.learning_rate >= _RESTING_RATE:
                self._move_faithfully(around)
            self._smoother.jump_to(self._optimised)
            return self._optimised
        self._rates.wake(unrest, settings.gain, settings.max_learning_rate)
        may_sleep = len(unrest) >= settings.whole_below and (change > 0 or self._some_sleep)
        if may_sleep and self._rates.few_awake:
            self._some_sleep = True
            self.learning_rate = float(self._rates.rates.max())
            # Sleepers hold the map in place.
            self._optimised = self._optimise(
                self._optimised, settings.warm_epochs, 1.0, rates=self._rates.rates
            )
        else:
            self._some_sleep = False
            self.learning_rate = self._common_rate
            if self.learning_rate >= _RESTING_RATE:
                hurried = change > 0 and len(unrest) >= _HURRIED_FROM
                epochs = -(-settings.warm_epochs // 2) if hurried else settings.warm_epochs
                reached = self._optimise(self._optimised, epochs, self.learning_rate)
                self._optimised = align_to_previous(reached, self._smoother.shown)
        if self.unsettled:
            self._gliding = not self._smoother.has_arrived(self._optimised)
            if self._gliding or self.learning_rate >= _RESTING_RATE:
                self._smoother.advance(self._optimised, self._smoothing_share(unrest, change))
            else:
                self._smoother.jump_to(self._optimised)
        return self._smoother.shown

    def exchange_rows(self, stay: NDArray[np.int64], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute positions, (V, 2), of the next frame of an embedding that has lost rows and gained others.

        `stay`: shape (S,), S above 2, ascending: the rows of the last frame that remain, as the first S of
        `vectors`, (V, D), finite; they may have moved. A row that arrives starts beside those of its
        neighbours that are on the map.
        """
        assert self._smoother is not None
        assert self._optimised is not None
        size = len(vectors)
        update = self._neighbours.exchange_rows(stay, vectors)
        self._strengths.exchange_rows(stay, size)
        self._rates.exchange_rows(stay, size)
        self._optimiser.exchange_rows(stay, size)
        placed = self._optimised[stay]
        arrived = add_noise(
            place_beside(self._neighbours.ids[len(stay) :], self._neighbours.cosines[len(stay) :], placed),
            self._random,
        )
        self._optimised = np.concatenate((placed, arrived))
        self._smoother.exchange_rows(stay, arrived)
        return self._draw(*self._update_graph(vectors, update))

    def change_settings(self, settings: MapSettings) -> None:
        """Use other settings from the next frame on; the map moves to its new shape from its current one."""
        self._optimiser.change_forces(
            AttractionCurve.fit(settings.spread, settings.min_dist), settings.negatives
        )
        if settings.neighbours != self.settings.neighbours:
            self._neighbours = NeighbourIndex(settings.neighbours - 1, self.metric)
        self._strengths = MembershipStrengths()
        self.settings = settings
        self.learning_rate = self._common_rate = settings.max_learning_rate
        self._rates.set_all(self.learning_rate)

    def _smoothing_share(self, unrest: NDArray[np.float32], change: float) -> NDArray[np.floating] | float:
        """Return the share of its way that each token moves, shape (V, 1); a scalar if no neighbours changed."""
        slow, fast = self.settings.calm_glide, self.settings.glide
        if change == 0:
            return fast
        # A token as restless as the average moves at full speed. Squared, because a few neighbours that moved
        # a little stir nearly every token somewhat.
        return slow + (fast - slow) * np.square(np.minimum(1, unrest / change))[:, None]

    def _update_graph(
        self, vectors: NDArray[np.float32], update: NeighbourUpdate | None = None
    ) -> tuple[NDArray[np.float32], float]:
        """Switch to the graph of a new embedding. Returns what `EdgeOptimiser.take_graph` does."""
        nearest = self._neighbours
        self.last_update = update = update or nearest.update(vectors)
        if self._optimiser.graph is not None and self._strengths.has_graph and not update.changed.any():
            return np.zeros(len(vectors), dtype=np.float32), 0.0
        return self._optimiser.take_graph(
            self._strengths.build_graph(nearest.ids, nearest.distances, self.settings.horizon, update.changed)
        )

    def _move_faithfully(self, around: NDArray[np.float32] | None) -> None:
        """Optimise with each token as mobile as it was in the space. `around`: the means of the neighbours
        that the tokens had in the last frame, shape (V, 2), if they are known.
        """
        assert self._optimised is not None
        mobility = row_mobility(self._neighbours.travelled)
        if around is not None:
            here = neighbour_means(self._optimised, self._neighbours.ids)
            self._optimised = (self._optimised + mobility * (here - around)).astype(np.float32)
        self._optimised = self._optimise(
            self._optimised, self.settings.warm_epochs, self.learning_rate, mobility=mobility
        )

    def _fit_on(self, coordinates: NDArray[np.float32], epochs: int) -> NDArray[np.float32]:
        """Return `coordinates` after a part of the epochs of a full fit, whose learning rate falls from 1 to 0."""
        horizon, left = self.settings.horizon, self._epochs_left
        epochs = min(epochs, left)
        self._epochs_left = left - epochs
        reached = self._optimise(coordinates, epochs, left / horizon, self._epochs_left / horizon)
        self.learning_rate = self._epochs_left / horizon
        if not self.fitting:
            self.learning_rate = self._common_rate = _RATE_AFTER_FIT
            self._rates.set_all(self.learning_rate)
        return reached

    def _optimise(
        self,
        coordinates: NDArray[np.float32],
        epochs: int,
        rate: float,
        until: float = 0.0,
        rates: NDArray[np.float32] | None = None,
        mobility: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Return `coordinates` after some epochs, with a learning rate that falls from `rate` to `until`."""
        falling = [until + (rate - until) * (1 - n / epochs) for n in range(epochs)]
        return self._optimiser.run(coordinates, falling, rates, mobility)
