"""The stretches of a noisy, drifting series that stand out from what lies around them, with how many would by chance.

Medians of 1, 3, 7, 15, 31 and 63 values are compared with the line through the medians of the values before and after them, or,
where the series ends, with the line through those before: `w` bad values lift a median of up to `2 w - 1`, and reach neither side.
A stretch must lie beyond both sides, so no curve that only falls, and no step from one level to another, is a spike. A jump is a difference
between the medians of 31 values before and after a place that neither the slope nor the bend of the curve explains.

How often chance alone gives a deviation of that size is told by Student's t distribution, fitted to the deviations in its own
direction, without those around the largest; the number expected in the whole series (the E value of sequence search: Karlin and
Altschul 1990) is that probability times the number of places, twice: half of the limit is for single values, and half for all
longer stretches and jumps. What is found is taken out, and the rest is judged again (Rosner 1983), so that nothing hides itself or others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FIRST = 20
"""The values at the beginning that are not judged: a training falls too steeply there."""
MIN_VALUES = 40
"""The fewest values among which one can stand out."""
MAX_EVENTS = 60
"""Maximum stretches that are taken out of a series."""

_WIDTHS = (1, 3, 7, 15, 31, 63)
_LEAST_SIDE = 7
"""The fewest values of a side."""
_JUMP = 31
"""Values of each of the four medians between which a jump is sought."""
_EDGE = 7
"""Values on each side of a jump's place within which it has to happen."""
_NEAR = 101
"""Values whose deviations tell the spread of one in their middle."""
_LEAST_SPREAD = 0.2
"""The least spread, as a share of the median spread: equal values side by side make the next no outlier."""
_TAIL_FREEDOMS = (2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0)
"""Degrees of freedom that the tail may have, heaviest tail first. More than 8 would claim thinner tails than a few hundred
values can show."""
_TAIL, _WIDE_TAIL, _MIDDLE = 0.98, 0.9, 0.5
_SHORT = 3
"""The longest median whose tail may be as heavy as that of single values."""
_EFFICIENCY = 0.37
"""The efficiency of the median absolute deviation: `n` values tell as much as a standard deviation of this share of them."""
_OVERLAP = 4
"""Medians of `w` values that overlap count as this many in `w` places."""
_MEDIAN_SPREAD = 1.2533
"""The standard deviation of a median of normal values, times the square root of their number."""
_LEAST_FITTED = 20
_LEAST_MIDDLE = 1e-6
"""Spreads that count as none."""

_Floats = NDArray[np.float64]
Kind = Literal["spike", "jump"]


@dataclass(frozen=True)
class Stretch:
    """Values side by side that stand out."""

    kind: Kind
    first: int
    """The place of its first value; of a jump, the first at the new level."""
    last: int
    """The place of its last value; of a jump, the last of the series."""
    value: float
    """Their median; of a jump, the median after it."""
    expected: float
    """The value that those around foretell; of a jump, the median before it."""
    spreads: float
    by_chance: float


@dataclass(frozen=True)
class Deviations:
    """How far each value of a series is from what the values around it foretell, and the stretches that stand out."""

    expected: _Floats
    """The values that those around foretell, shape (N,); NaN where none is known."""
    spreads: _Floats
    """The deviation in robust standard deviations, signed, shape (N,); 0 for the first, which are not judged."""
    by_chance: _Floats
    """The number of stretches in the whole series that chance alone would put so far off, shape (N,)."""
    stretches: list[Stretch]
    """Those that stand out, in the order in which they were found."""


@dataclass(frozen=True)
class _Judged:
    """Windows of one width, by the place of their middle; of jumps, by that of the first value after it."""

    width: int
    places: NDArray[np.intp]
    values: _Floats
    expected: _Floats
    spreads: _Floats
    chances: _Floats
    allowed: NDArray[np.bool_]
    """Whether their shape is that of a spike, or a jump."""
    late: NDArray[np.bool_]
    """Whether too little comes after them, so that they are compared with what comes before alone."""


def measure_deviations(values: _Floats, limit: float) -> Deviations | None:
    """Return the deviations of a series, (N,), without values not finite; None if it is too short, or
    constant. `limit`: a stretch stands out if chance would put fewer than this number so far off.
    """
    places = np.flatnonzero(np.isfinite(values))
    rest = values[places].astype(np.float64)
    shift = np.zeros(len(rest))
    stretches: list[Stretch] = []
    while (judged := _judge(rest)) is not None and len(stretches) < MAX_EVENTS:
        tried = sorted(
            (
                (not one.width, bool(one.late[at]), chance, -abs(off), one, at)
                for one in judged
                for chance, off, at in _out(one, len(rest), limit)
            ),
            # A long spike has two edges, and what comes after it may look late: both are judged without it.
            key=lambda item: item[:4],
        )
        # What goes on beyond the widest window is no spike.
        best = next(
            (item for item in tried if not item[4].width or np.ptp(_extent(rest, *item[4:])) < _WIDTHS[-1]),
            None,
        )
        if best is None:
            break
        *_, chance, _, one, at = best
        place = int(one.places[at])
        if one.width:
            first, last = _extent(rest, one, at)
            level = float(shift[first])
            stretches.append(
                Stretch(
                    "spike",
                    int(places[first]),
                    int(places[last]),
                    float(np.median(rest[first : last + 1])) + level,
                    float(one.expected[at]) + level,
                    float(one.spreads[at]),
                    chance,
                )
            )
            kept = np.r_[:first, last + 1 : len(rest)]
            places, rest, shift = places[kept], rest[kept], shift[kept]
        else:
            place = _edge(rest, place)
            before, after = np.median(rest[place - _JUMP : place]), np.median(rest[place : place + _JUMP])
            stretches.append(
                Stretch(
                    "jump",
                    int(places[place]),
                    len(values) - 1,
                    float(after + shift[place]),
                    float(before + shift[place - 1]),
                    float(one.spreads[at]),
                    chance,
                )
            )
            rest[place:] -= one.values[at]
            shift[place:] += one.values[at]
    if judged is None:
        return None
    return _spread_out(values, places, judged[0], shift, stretches)


def _spread_out(
    values: _Floats, places: NDArray[np.intp], single: _Judged, shift: _Floats, stretches: list[Stretch]
) -> Deviations:
    """Return what was judged of single values, and of stretches, by place in the whole series."""
    count = len(values)
    expected, spreads, by_chance = np.full(count, np.nan), np.zeros(count), np.full(count, float(count))
    own = places[single.places]
    expected[own] = single.expected + shift[single.places]
    spreads[own] = single.spreads
    by_chance[own] = np.minimum(_expect(single, len(places)), count)
    for one in reversed(stretches):
        inside = slice(one.first, (one.first if one.kind == "jump" else one.last) + 1)
        expected[inside], spreads[inside], by_chance[inside] = one.expected, one.spreads, one.by_chance
    return Deviations(expected, spreads, by_chance, stretches)


def _expect(one: _Judged, count: int) -> _Floats:
    """Return how many windows in a series of `count` values chance alone would put so far off."""
    places = max(count - FIRST, 1)
    if one.width == 1:
        return 2 * places * one.chances
    return 2 * len(_WIDTHS) * places * min(1.0, _OVERLAP / (one.width or _JUMP)) * one.chances


def _out(one: _Judged, count: int, limit: float) -> list[tuple[float, float, int]]:
    by_chance = _expect(one, count)
    return [
        (float(by_chance[at]), float(one.spreads[at]), int(at))
        for at in np.flatnonzero((by_chance < limit) & one.allowed)
    ]


def _extent(rest: _Floats, one: _Judged, at: int) -> tuple[int, int]:
    """Return the first and the last place of a stretch: where more than half of its deviation begins and ends."""
    middle, half = int(one.places[at]), (one.values[at] - one.expected[at]) / 2
    start = max(middle - 2 * _WIDTHS[-1], FIRST)
    near = rest[start : middle + 2 * _WIDTHS[-1]]
    out = (near - one.expected[at]) * np.sign(half) > abs(half)
    place, side = middle - start, one.width // 2
    inside = place - side + np.flatnonzero(out[place - side : place + side + 1])
    first, last = (int(inside[0]), int(inside[-1])) if len(inside) else (place, place)
    while first > 0 and out[first - 1]:
        first -= 1
    while last + 1 < len(near) and out[last + 1]:
        last += 1
    return start + first, start + last


def _edge(rest: _Floats, place: int) -> int:
    """Return the place at which two levels fit the values around a jump best."""
    start = place - _JUMP
    near = rest[start : place + _JUMP]
    before, after = np.median(near[:_JUMP]), np.median(near[_JUMP:])
    nearer = np.abs(near - before) - np.abs(near - after)
    # Values on the wrong side of each place.
    wrong = np.r_[0.0, np.cumsum(nearer)]
    return start + int(np.argmin(wrong[_JUMP // 2 : -_JUMP // 2])) + _JUMP // 2


def _judge(rest: _Floats) -> list[_Judged] | None:
    """Return the windows of each width, single values first, and jumps; None if nothing can be judged."""
    if len(rest) < MIN_VALUES:
        return None
    single, unit = _judge_width(rest, 1, None)
    if single is None or unit is None:
        return None
    longer = [_judge_width(rest, width, unit)[0] for width in _WIDTHS[1:] if len(rest) >= 8 * width]
    return [single, *(one for one in [*longer, _judge_jumps(rest, unit)] if one is not None)]


def _judge_width(rest: _Floats, width: int, unit: _Floats | None) -> tuple[_Judged | None, _Floats | None]:
    """Return the windows of a width, and the spread of single values by place, if that was not given."""
    count, side, half = len(rest), max(_LEAST_SIDE, 2 * width + 1), width // 2
    middle = np.arange(count)
    windows, sides = _medians(rest, width), _medians(rest, side)
    reach = half + 1 + side // 2
    at = np.clip([middle - reach, middle + reach, middle - reach - side], 0, count - 1)
    before, after, earlier = sides[at[0]], sides[at[1]], sides[at[2]]
    line = before + (before - earlier) * reach / side
    judged = (middle - half >= FIRST) & (middle + half < count)
    between = judged & (middle - reach >= side // 2) & (middle + reach + side // 2 < count)
    beyond = judged & (middle - reach - side >= side // 2)
    parts: list[_Judged] = []
    for used, where, expected, other in (
        (between, between, (before + after) / 2, after),
        # At the end nothing comes after; such windows are compared with all that are foretold from before.
        (beyond & ~(middle + reach + side // 2 < count), beyond, line, line),
    ):
        places = np.flatnonzero(where)
        if len(places) < _LEAST_FITTED or not used.any():
            continue
        off = (windows - expected)[places]
        near = min(max(_NEAR, 16 * width + 1), (len(off) - 1) // 2 * 2 + 1)
        deviation = off - _around(off, near)
        if width == 1:
            spread = 1.4826 * _around(np.abs(deviation), near)
            least = _LEAST_SPREAD * float(np.median(spread))
            if least <= 0:
                return None, None
            spread = np.maximum(spread, least)
            if unit is None:
                unit = np.interp(middle, places, spread)
        else:
            assert unit is not None
            # Medians of counts hardly differ: no spread is less than that of medians of independent values.
            least = _MEDIAN_SPREAD / np.sqrt(width)
            spread = max(1.4826 * float(np.median(np.abs(deviation / unit[places]))), least) * unit[places]
        spreads = deviation / spread
        high, low = np.maximum(before, other)[places], np.minimum(before, other)[places]
        outside = np.where(off > 0, windows[places] - high, low - windows[places])
        allowed = (outside >= np.abs(off) / 2) & (np.sign(spreads) == np.sign(off))
        chances = _chances(spreads, allowed, 2 * (width + side), near if width == 1 else len(places), width)
        chosen = used[places]
        parts.append(
            _Judged(
                width,
                places[chosen],
                windows[places][chosen],
                expected[places][chosen],
                spreads[chosen],
                chances[chosen],
                allowed[chosen],
                np.full(int(chosen.sum()), expected is line),
            )
        )
    if not parts:
        return None, unit
    columns = ("places", "values", "expected", "spreads", "chances", "allowed", "late")
    return _Judged(
        width, *(np.concatenate([getattr(part, name) for part in parts]) for name in columns)
    ), unit


def _judge_jumps(rest: _Floats, unit: _Floats) -> _Judged | None:
    """Return the jumps at each place: the difference between the medians before and after it, beyond what those farther away
    foretell, which is nought for every parabola."""
    count, half = len(rest), _JUMP // 2
    places = np.arange(FIRST + 2 * _JUMP, count - 2 * _JUMP + 1)
    if len(places) < _LEAST_FITTED:
        return None
    medians, edges = _medians(rest, _JUMP), _medians(rest, _EDGE)
    earlier, before = medians[places - _JUMP - half - 1], medians[places - half - 1]
    after, later = medians[places + half], medians[places + half + _JUMP]
    jump = (after - before) - ((before - earlier) + (later - after)) / 2
    near = min(16 * _JUMP + 1, (len(jump) - 1) // 2 * 2 + 1)
    deviation = (jump - _around(jump, near)) / unit[places]
    # The four medians are weighed 1/2, 3/2, 3/2 and 1/2.
    least = np.sqrt(5) * _MEDIAN_SPREAD / np.sqrt(_JUMP)
    spreads = deviation / max(1.4826 * float(np.median(np.abs(deviation))), least)
    edge = edges[places + _EDGE // 2] - edges[places - _EDGE // 2 - 1]
    half_way, sign = np.abs(jump) / 2, np.sign(jump)
    # A bend is spread over many steps: most of the difference has to come at once.
    sharp = sign * edge >= np.maximum(half_way, np.abs(after - before) / 2)
    allowed = (sign * (after - before) >= half_way) & sharp & (np.sign(spreads) == sign)
    chances = _chances(spreads, allowed, 4 * _JUMP, len(places), _JUMP)
    return _Judged(
        0, places, jump, np.zeros(len(places)), spreads, chances, allowed, np.zeros(len(places), bool)
    )


def _medians(values: _Floats, width: int) -> _Floats:
    """Return the median of as many values around each place; less than half a width from an end it is of no use."""
    from scipy.ndimage import median_filter

    return values if width == 1 else median_filter(values, size=width, mode="nearest")


def _around(values: _Floats, width: int) -> _Floats:
    """Return the median around each place, and near the ends the first and the last of a whole width."""
    return _medians(values, width)[np.clip(np.arange(len(values)), width // 2, len(values) - 1 - width // 2)]


def _chances(spreads: _Floats, allowed: NDArray[np.bool_], apart: int, known_by: int, width: int) -> _Floats:
    """Return the probability of a deviation of at least each size, signed, (N,), by a t distribution that
    fits those in its own direction.

    `allowed`: those of which one may stand out; the largest and its neighbours, `apart` at most, are not
    fitted. `known_by`: how many places the spread was measured at; `width`: of the windows.
    """
    from scipy.special import stdtr

    largest = int(np.argmax(np.where(allowed, np.abs(spreads), 0)))
    rest = spreads[np.abs(np.arange(len(spreads)) - largest) > apart]
    if len(rest) < _LEAST_FITTED:
        rest = spreads
    # A spread that is known by few values makes tails of its own.
    most = max(_EFFICIENCY * known_by / width, _TAIL_FREEDOMS[0])
    if width > _SHORT:
        # Medians of many are nearly normal, in both directions, and there are few of them.
        freedom = max(one for one in _TAIL_FREEDOMS if one <= most)
        return 2 * stdtr(freedom, -np.abs(spreads) / _unit(np.abs(rest), freedom, _WIDE_TAIL))
    both = _fit_tail(np.abs(rest), most, 1.0)
    chances = np.ones(len(spreads))
    for sign in (-1, 1):
        sizes, side = sign * rest[sign * rest > 0], sign * spreads > 0
        if len(sizes) < _LEAST_FITTED / 2:
            continue
        # Noise may be skewed: then this side is surely heavier.
        freedom = min(both, _fit_tail(sizes, most, -1.0))
        chances[side] = 2 * stdtr(freedom, -np.abs(spreads[side]) / _unit(sizes, freedom, _TAIL))
    return chances


def _unit(sizes: _Floats, freedom: float, tail: float) -> float:
    """Return the scale at which a t distribution is nowhere narrower than some deviations' sizes, at their middle and tail."""
    middle, end = np.quantile(sizes, (_MIDDLE, tail))
    # In such spreads half of normal values are nearer than this; medians of counts may be all the same.
    middle = max(middle, 1 / 1.4826)
    return float(max(middle / _quantiles(_MIDDLE, freedom), end / _quantiles(tail, freedom)))


def _fit_tail(sizes: _Floats, most: float, errors: float) -> float:
    """Return the most degrees of freedom, up to `most`, whose tail is no thinner than that of some sizes, or
    than one so many standard errors heavier.
    """
    freedoms = np.array([one for one in _TAIL_FREEDOMS if one <= most])
    middle, tail = np.quantile(sizes, (_MIDDLE, _TAIL))
    ends = _quantiles(_TAIL, freedoms)
    # The standard error of a quantile, from the density of the t distribution there, by its slope.
    slope = (_quantiles(_TAIL + 0.005, freedoms) - _quantiles(_TAIL - 0.005, freedoms)) / 0.01
    seen = tail / max(middle, _LEAST_MIDDLE)
    seen *= 1 + errors * np.sqrt(_TAIL * (1 - _TAIL) / len(sizes)) * slope / ends
    ratios = ends / _quantiles(_MIDDLE, freedoms)
    return float(freedoms[max(int((ratios >= seen).sum()) - 1, 0)])


def _quantiles(share: float, freedoms: _Floats | float) -> _Floats:
    from scipy.special import stdtrit

    return stdtrit(freedoms, (1 + share) / 2)
