"""The values of a learning curve at which it turns: where it speeds up again, or goes the other way.

Learning is fast at first and slows down. Any curve that only slows down, towards one side, is a sum of ramps: lines that begin
at the first value and end at some later one, all with the same sign. A turn ends them all and begins a new sum of ramps, with
either sign. Both are fitted by non-negative least squares, for each value at which the turn could be.

The rest is noise that resembles that of the value before (AR(1)). The likeliest correlation is taken, so a curve that wanders
does not turn where it bends. Two curves are compared by their likelihoods, as an F test, and its probability is
multiplied by the number of values at which the turn could have been (Bonferroni).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Kind = Literal["begins", "speeds_up", "reverses"]

MIN_VALUES = 12
"""The fewest values among which a turn can be found."""
MAX_VALUES = 64
"""The most values of one curve; of a longer one, means of neighbours are judged."""
MAX_TURNS = 3
"""The most turns of one curve."""

_LENGTHS = (1, 2, 3, 4, 5, 7, 9, 11, 15, 19, 25, 33, 42, 55)
"""The lengths of ramps, in values: close together at first, where a curve bends most."""
_BEFORE, _AFTER = 2, 3
"""Values that a turn needs before and after it."""
_NEAR = 1 / 8
"""Turns closer than this share of the values are one, and its speeds before and after are those of as many."""
_PLAIN = 0.02
"""A curve that deviates from one that only slows down by no more than this share of its range has no turn."""
_LEAST_SHARE = 0.1
"""A turn counts if the curve then goes at least this share of its whole range ..."""
_FASTER = 2.0
"""... and at least this many times as fast as before, or the other way."""
_FLAT = 0.25
"""A curve that moved at less than this share of its later speed begins to move."""
_LEAST_NOISE = 1e-5
"""The least noise, as a share of the range: that of rounding."""
_CORRELATIONS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95)
"""The correlations of the noise with that of the value before, of which the likeliest is taken."""
_OVERFIT = 12.0
"""Values by which a fitted curve hides the correlation of its noise: seen on curves with known noise."""
_EXTRA = 2
"""Degrees of freedom that a turn takes beside its place."""
_LIKELY = 4.0
"""The places whose squared deviations exceed the least by at most this many variances are as likely (95 %)."""

_Part = tuple[int, int]
"""A sum of ramps: where it begins, and its sign. It ends where the next begins."""


@dataclass(frozen=True)
class Turn:
    """A turn of a curve."""

    place: int
    """The index of the value at which it turns."""
    earliest: int
    latest: int
    """The indices between which it lies, at 95 %."""
    kind: Kind
    """Whether the curve hardly moved before, moved the same way, or the other way."""
    change: float
    """How far it then goes, up to the next turn or the last value, signed."""
    share: float
    """That as a share of its whole range."""
    by_chance: float
    """The number of values at which chance alone would make a curve that only slows down turn as clearly."""

    def scaled(self, extent: float) -> Turn:
        return replace(self, change=self.change * extent)


def find_turns(steps: Values, values: Values, limit: float) -> list[Turn]:
    """Return the turns of a curve, earliest first. `steps`: ascending, shape (N,); `values`: finite, at most
    `MAX_VALUES`. A turn counts if chance alone would give fewer than `limit`.
    """
    extent = float(np.ptp(values)) if len(values) else 0.0
    if len(values) < MIN_VALUES or extent <= 0:
        return []
    search = _Search((steps - steps[0]) / (steps[-1] - steps[0]), values / extent)
    found: list[_Candidate] = []
    parts: list[list[_Part]] = [[(0, 1)], [(0, -1)]]
    while len(found) < (0 if search.is_plain(parts) else MAX_TURNS):
        turn = search.find_next(parts)
        if turn is None or turn.by_chance >= limit:
            break
        found.append(turn)
        parts = [turn.parts]
    # A bend that takes its time is fitted better by more turns, none of which may count.
    told: list[Turn] = []
    for count in range(len(found)):
        curve = search.fit_curve(found[count].parts)
        told = max(told, _describe_all(found[: count + 1], curve, search.clock), key=len)
    return [turn.scaled(extent) for turn in told]


@dataclass(frozen=True)
class _Candidate:
    place: int
    parts: list[_Part]
    """The curve with it."""
    by_chance: float
    earliest: int
    latest: int


class _Search:
    """The search for the turns of one curve."""

    def __init__(self, clock: Values, values: Values) -> None:
        self.clock, self._values = clock, values
        self._places = range(_BEFORE, len(values) - _AFTER)
        self._fits = {correlation: _Whitened(clock, values, correlation) for correlation in _CORRELATIONS}

    def is_plain(self, parts: list[list[_Part]]) -> bool:
        """Return whether the values are so close to a curve of `parts` that no turn would count."""
        curve = self._fits[0.0].fit_curve(self._choose(parts, 0.0))
        return bool(np.abs(self._values - curve).max() < _PLAIN)

    def find_next(self, parts: list[list[_Part]]) -> _Candidate | None:
        """Return the best curve with one turn more than one of `parts`; None if there is no room for it."""
        taken = [place for place, _ in parts[0][1:]]
        open_ = [place for place in self._places if all(abs(place - other) > _BEFORE for other in taken)]
        if not open_:
            return None
        # Without the turn, its bend may be taken for noise that wanders.
        unlikely, wandering = min(map(self._find_noise, parts))
        place, chosen = min(
            (self._find_place(parts[0], open_, correlation) for correlation in {0.0, wandering}),
            key=lambda one: self._find_noise(one[1]),
        )
        correlation = self._correct(self._find_noise(chosen)[1])
        fit = self._fits[correlation]
        freedom = max(len(self._values) - fit.used(chosen) - 1, _EXTRA + 1)
        left = max(fit.deviation(chosen), freedom * _LEAST_NOISE**2)
        # The lesser of the gains: at the same noise, and over the likeliest noise without the turn.
        gain = min(
            min(map(fit.deviation, parts)) / left,
            np.exp((unlikely - self._unlikeliness(chosen, correlation)) / len(self._values)),
        )
        by_chance = len(self._places) * _tail((gain - 1) * freedom / _EXTRA, freedom)
        most = left * (1 + _LIKELY / freedom)
        likely = [
            other
            for other in open_
            if other == place or min(map(fit.deviation, _split(parts[0], other))) <= most
        ]
        return _Candidate(place, chosen, by_chance, likely[0], likely[-1])

    def fit_curve(self, parts: list[_Part]) -> Values:
        return self._fits[0.0].fit_curve(parts)

    def _choose(self, options: list[list[_Part]], correlation: float) -> list[_Part]:
        return min(options, key=self._fits[correlation].deviation)

    def _find_place(
        self, parts: list[_Part], places: list[int], correlation: float
    ) -> tuple[int, list[_Part]]:
        """Return the best of the places for a turn, and the curve: of every second, and then of those beside it."""

        def best(some: list[int]) -> tuple[int, list[_Part]]:
            options = [(place, self._choose(_split(parts, place), correlation)) for place in some]
            return min(options, key=lambda one: self._fits[correlation].deviation(one[1]))

        near, _ = best(places[::2])
        return best([place for place in places if abs(place - near) <= 1])

    def _find_noise(self, parts: list[_Part]) -> tuple[float, float]:
        """Return -2 log L of the values at the correlation of the noise that makes them likeliest, and that one."""
        return min((self._unlikeliness(parts, correlation), correlation) for correlation in _CORRELATIONS)

    def _unlikeliness(self, parts: list[_Part], correlation: float) -> float:
        """Return -2 log L of the values, but for a constant."""
        variance = max(self._fits[correlation].deviation(parts) / len(self._values), _LEAST_NOISE**2)
        return float(len(self._values) * np.log(variance) - np.log(1 - correlation**2))

    def _correct(self, correlation: float) -> float:
        """Return the correlation of noise of which a fitted curve leaves this one."""
        least = correlation + _OVERFIT * (1 + correlation) / len(self._values)
        return next((one for one in _CORRELATIONS if one >= least), _CORRELATIONS[-1])


class _Whitened:
    """Fits to what the noise of the value before does not foretell."""

    def __init__(self, clock: Values, values: Values, correlation: float) -> None:
        self._clock, self._correlation = clock, correlation
        self._level = self._whiten(np.ones((len(values), 1)))
        self._values = self._whiten(values[:, None])[:, 0]
        self._columns: dict[tuple[int, int], Values] = {}
        self._done: dict[tuple[_Part, ...], tuple[Values, float]] = {}

    def deviation(self, parts: list[_Part]) -> float:
        """Return the sum of squared deviations from the best curve."""
        return self._fit(parts)[1]

    def used(self, parts: list[_Part]) -> int:
        """Return the number of ramps of the best curve, and its level."""
        return int((self._fit(parts)[0] > 0).sum())

    def fit_curve(self, parts: list[_Part]) -> Values:
        return self._design(parts) @ self._fit(parts)[0]

    def _fit(self, parts: list[_Part]) -> tuple[Values, float]:
        from scipy.optimize import nnls

        key = tuple(parts)
        if key not in self._done:
            design = self._design(parts)
            try:
                weights, norm = nnls(design, self._values)
            except RuntimeError:  # No solution within its rounds.
                weights, norm = np.zeros(design.shape[1]), np.inf
            self._done[key] = weights, float(norm) ** 2
        return self._done[key]

    def _design(self, parts: list[_Part]) -> Values:
        columns = [self._level, -self._level]
        ends = [place for place, _ in parts[1:]] + [len(self._clock) - 1]
        for (place, sign), end in zip(parts, ends, strict=True):
            key = place, end
            if key not in self._columns:
                self._columns[key] = self._whiten(_make_ramps(self._clock, *key))
            columns.append(sign * self._columns[key])
        return np.hstack(columns)

    def _whiten(self, columns: Values) -> Values:
        if not self._correlation:
            return columns
        white = columns.copy()
        white[1:] -= self._correlation * columns[:-1]
        white[0] *= np.sqrt(1 - self._correlation**2)
        return white


def _split(parts: list[_Part], place: int) -> list[list[_Part]]:
    """Return the curves with a turn more: each half of the part that it divides may have either sign."""
    later = sum(first < place for first, _ in parts)
    before, after, start = parts[: later - 1], parts[later:], parts[later - 1][0]
    return [
        [*before, (start, sign), (place, other), *after]
        for sign, other in ((1, 1), (1, -1), (-1, 1), (-1, -1))
    ]


def _make_ramps(clock: Values, first: int, last: int) -> Values:
    """Return lines from 0 at the value `first` to 1 at a later one up to `last`, and 1 from there on, shape (N, K)."""
    ends = [first + length for length in _LENGTHS if first + length < last] + [last]
    return np.clip((clock[:, None] - clock[first]) / (clock[ends] - clock[first]), 0.0, 1.0)


def _tail(ratio: float, freedom: int) -> float:
    from scipy.special import fdtrc

    return float(fdtrc(_EXTRA, freedom, max(ratio, 0.0)))


def _describe_all(found: list[_Candidate], curve: Values, clock: Values) -> list[Turn]:
    """Return those of the turns that count, earliest first; of those close together the clearest."""
    near = round(_NEAR * len(curve))
    kept: list[_Candidate] = []
    for turn in sorted(found, key=lambda turn: turn.by_chance):
        if all(abs(turn.place - other.place) > near for other in kept):
            kept.append(turn)
    kept.sort(key=lambda turn: turn.place)
    places = [0, *(turn.place for turn in kept), len(curve) - 1]
    turns = (
        _describe(turn, curve, clock, (max(before, turn.place - near), turn.place + near, after))
        for before, turn, after in zip(places, kept, places[2:], strict=False)
    )
    return [turn for turn in turns if turn is not None]


def _describe(turn: _Candidate, curve: Values, clock: Values, around: tuple[int, int, int]) -> Turn | None:
    """Return the turn of a fitted curve; None if it does not count. `around`: the values between which it
    moves before and after, and the one up to which it then goes.
    """
    first, until, end = around
    place, last = turn.place, min(until, end)
    before = (curve[place] - curve[first]) / (clock[place] - clock[first])
    after = (curve[last] - curve[place]) / (clock[last] - clock[place])
    share = _share(curve, place, end)
    reverses = before * after < 0 and _share(curve, first, place) >= _LEAST_SHARE / 2
    if share < _LEAST_SHARE or not (reverses or abs(after) >= _FASTER * abs(before)):
        return None
    kind: Kind = "begins" if abs(before) < _FLAT * abs(after) else "reverses" if reverses else "speeds_up"
    change = float(curve[end] - curve[place])
    return Turn(place, turn.earliest, turn.latest, kind, change, share, turn.by_chance)


def _share(curve: Values, first: int, last: int) -> float:
    """Return how far the curve goes between two values, as a share of its range."""
    return float(abs(curve[last] - curve[first]) / np.ptp(curve))
