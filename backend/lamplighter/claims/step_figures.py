"""Figures of a run's steps, from a sample of its pulses."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lamplighter.claims.evidence import PulseFigures, TouchFigures
from lamplighter.claims.intervals import Spread, spread_of
from lamplighter.geometry.rank import rank_correlation
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.vocabulary import Vocabulary

MAX_STEPS = 1_000
"""Maximum steps sampled."""
_MAX_ROWS = 50_000_000
"""Maximum rows in all sampled pulses together, if each has every row."""
_AT_ONCE = 1 << 20
_DRAWS = 20
"""Number of random assignments of the counts to words."""
_EARLY = 20
"""First steps, all of which are sampled because they differ most."""


def read_pulse_figures(reader: StepsReader, step: int, rows: int, width: int) -> PulseFigures | None:
    """Return the figures of the first steps and of others spread evenly up to `step`.

    None if none is recorded.

    Args:
        reader: the record.
        step: the last step that counts.
        rows: V, the rows of the embedding.
        width: D, its columns.
    """
    most = max(_EARLY, min(MAX_STEPS, _MAX_ROWS // max(1, rows)))
    spread = np.linspace(1, max(1, step), min(most, max(1, step))).astype(np.int64)
    chosen = np.unique(np.concatenate((np.arange(1, min(_EARLY, step) + 1), spread)))
    # A sampled step stands for the steps around it.
    stands_for = dict(zip(chosen.tolist(), np.gradient(chosen) if len(chosen) > 1 else [1.0], strict=True))
    squares = np.zeros(rows)
    found: list[tuple[int, bool, tuple[float, ...]]] = []
    at_once = max(1, min(64, _AT_ONCE // max(1, rows)))
    for start in range(0, len(chosen), at_once):
        for number, record in reader.pulses_at(chosen[start : start + at_once].tolist()):
            pulse = decode(record)
            if isinstance(pulse, Pulse):
                found.append((number, pulse.verified, _figures(pulse)))
                if pulse.moved_known:
                    way = stands_for[number] * np.square(pulse.moved_distances, dtype=np.float64)
                    squares += np.bincount(pulse.moved_ids, way, minlength=rows)
    if not found:
        return None
    numbers = np.array([figures for *_, figures in found], dtype=np.float64)
    batch, gradient, moved, sleepers, distance, least, most, seconds = numbers.T
    return PulseFigures(
        steps=np.array([number for number, *_ in found]),
        batch_rows=batch,
        gradient_rows=gradient,
        moved_rows=moved,
        moved_sleepers=sleepers,
        verified=np.array([verified for _, verified, _ in found]),
        lit_distance=distance,
        least_norm=least,
        most_norm=most,
        seconds=seconds,
        recorded=reader.count_steps(1, found[-1][0]),
        walk=_walk_at_random(squares, width) if squares.any() else None,
    )


def read_touch_figures(reader: StepsReader, step: int, vocabulary: Vocabulary) -> TouchFigures | None:
    """Return how often rows were touched up to `step`; None if no batch is recorded."""
    try:
        found = read_touches(reader, step)
    except NoSnapshotError:
        return None
    if not found.touches.any():
        return None
    never = np.flatnonzero(found.touches == 0)
    correlation = dealt = None
    if vocabulary.counts_known:
        touches, counts = found.touches.astype(np.float64), vocabulary.counts.astype(np.float64)
        correlation = rank_correlation(touches, counts)
        draw = np.random.default_rng(0)
        drawn = [rank_correlation(touches, draw.permutation(counts)) for _ in range(_DRAWS)]
        dealt = spread_of(drawn) if np.isfinite(drawn).all() else None
    return TouchFigures(
        found.step,
        correlation if correlation is not None and np.isfinite(correlation) else None,
        len(never),
        int((vocabulary.counts[never] > 0).sum()) if vocabulary.counts_known else len(never),
        int(never[0]) if len(never) else None,
        int(found.touches.max()),
        float(np.median(found.touches)),
        dealt,
    )


def _walk_at_random(squares: NDArray[np.float64], width: int) -> Spread:
    """Return the root mean square distance from the start after steps in random directions.

    Args:
        squares: shape (V,), the sum of the squares of each row's steps.
        width: D. The square of a row's distance has the deviation `squares` * sqrt(2 / D), or less.
    """
    distance = math.sqrt(squares.mean())
    deviation = math.sqrt(2 / width * np.square(squares).sum()) / len(squares)
    return Spread(distance, deviation / (2 * distance), 0)


def _figures(pulse: Pulse) -> tuple[float, ...]:
    nan = float("nan")
    lit = np.isin(pulse.moved_ids, pulse.batch_ids, assume_unique=True)
    both_known = pulse.batch_known and pulse.moved_known
    norms = pulse.layer_norms
    # A single layer would be both weakest and strongest: a client's loop records only its embedding.
    compared = np.isfinite(norms).sum() > 1
    return (
        float(len(pulse.batch_ids)) if pulse.batch_known else nan,
        float(len(pulse.gradient_ids)) if pulse.gradient_known else nan,
        float(len(pulse.moved_ids)) if pulse.moved_known else nan,
        float((~lit).sum()) if both_known else nan,
        float(np.median(pulse.moved_distances[lit])) if both_known and lit.any() else nan,
        float(np.nanmin(norms)) if compared else nan,
        float(np.nanmax(norms)) if compared else nan,
        pulse.step_seconds if pulse.step_seconds > 0 else nan,
    )
