"""The steps of a run that stand out, and what was in one: predictions, rows that moved, their neighbourhoods."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lamplighter.model.batches import positions_after, sequence_starts
from lamplighter.outliers.answer import MovedRow, NeighbourhoodShare, OutlyingSteps, StepCause, TopLoss
from lamplighter.outliers.step_figures import MAX_JUDGED, JudgedFigures, read_judged_figures
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import NEVER
from lamplighter.wire.top_losses import TopLosses

AROUND = 25
"""Steps on each side with which a step is compared."""

_MAX_ROWS = 16
_MAX_NEIGHBOURHOODS = 5
_MAX_BEFORE = 16


@dataclass(frozen=True)
class _Near:
    """A step and those around it."""

    pulse: Pulse
    others: list[Pulse]
    top: dict[int, TopLosses]


def explain_step(
    run: RunFolder, reader: StepsReader, step: int, judged: JudgedFigures, districts: Districts | None
) -> StepCause:
    """Return what was in a step, or raise LookupError if it is not recorded. `judged`: the figures of the
    steps among which it is judged; `districts`: the neighbourhoods by token.
    """
    near = _read_near(run, reader, step)
    top = near.top.get(step)
    share = _top_share(near.pulse, top)
    shares = [_top_share(one, near.top.get(one.step)) for one in near.others]
    return StepCause(
        step=step,
        number=judged.numbers.number_of(step),
        figures=judged.of_step(step),
        top_losses=[] if top is None else _with_texts(run, step, top),
        top_share=share,
        usual_top_share=_median([one for one in shares if one is not None]),
        rows=_farthest_rows(near),
        neighbourhoods=[] if districts is None else _neighbourhood_shares(near, districts),
        around=[
            min(one.step for one in [near.pulse, *near.others]),
            max(one.step for one in [near.pulse, *near.others]),
        ],
    )


def _read_near(run: RunFolder, reader: StepsReader, step: int) -> _Near:
    steps = range(max(1, step - AROUND), step + AROUND + 1)
    pulses = {number: decode_as(record, Pulse) for number, record in reader.pulses_at(steps)}
    vocabulary = len(run.vocabulary)
    top = {
        number: TopLosses.decode(record, vocabulary) for number, record in reader.top_losses_at(steps).items()
    }
    return _Near(pulses.pop(step), list(pulses.values()), top)


def _top_share(pulse: Pulse, top: TopLosses | None) -> float | None:
    """Return the part of a step's loss that its largest losses are, if the batch and its loss are known."""
    whole = pulse.loss * int(pulse.batch_counts.sum(dtype=np.uint64))
    if top is None or not np.isfinite(whole) or whole <= 0:
        return None
    return min(float(top.losses.sum(dtype=np.float64)) / whole, 1.0)


def _with_texts(run: RunFolder, step: int, top: TopLosses) -> list[TopLoss]:
    windows = top.windows if top.windows.shape[1] else _windows_in_corpus(run, step, top)
    return [
        TopLoss(
            place=place,
            loss=loss,
            target=None if not len(window) or window[-1] == NEVER else int(window[-1]),
            before=window[:-1][window[:-1] != NEVER].tolist(),
        )
        for place, loss, window in zip(top.places.tolist(), top.losses.tolist(), windows, strict=True)
    ]


def _windows_in_corpus(run: RunFolder, step: int, top: TopLosses) -> NDArray[np.uint32]:
    """Return the ids up to each target, (N, W), from the corpus at the places that the recipe gives."""
    context = run.recipe.model.context
    try:
        ids = run.token_ids
    except FileNotFoundError:
        return top.windows
    positions = positions_after(sequence_starts(run.recipe, len(ids), step), context)
    sequence, position = top.places // context, top.places % context
    places = position[:, None].astype(np.int64) + np.arange(1 - _MAX_BEFORE, 2)
    windows = ids[positions[sequence[:, None], np.maximum(places, 0)]]
    return np.where(places < 0, NEVER, windows).astype(np.uint32)


def _farthest_rows(near: _Near) -> list[MovedRow]:
    farthest = np.argsort(-near.pulse.moved_distances, kind="stable")[:_MAX_ROWS]
    return [
        MovedRow(
            token_id=token_id,
            distance=distance,
            usual=_median(
                [
                    one.moved_distances[one.moved_ids == token_id].item()
                    for one in near.others
                    if token_id in one.moved_ids
                ]
            ),
        )
        for token_id, distance in zip(
            near.pulse.moved_ids[farthest].tolist(),
            near.pulse.moved_distances[farthest].tolist(),
            strict=True,
        )
    ]


def _neighbourhood_shares(near: _Near, districts: Districts) -> list[NeighbourhoodShare]:
    here = _shares_by_district(near.pulse, districts)
    usual = (
        np.median([_shares_by_district(one, districts) for one in near.others], axis=0)
        if near.others
        else None
    )
    # Place 0 is of the tokens in none.
    largest = [place for place in np.argsort(-here).tolist() if place and here[place] > 0][
        :_MAX_NEIGHBOURHOODS
    ]
    return [
        NeighbourhoodShare(
            id=int(districts.ids[place - 1]),
            share=float(here[place]),
            usual=None if usual is None else float(usual[place]),
        )
        for place in largest
    ]


def _shares_by_district(pulse: Pulse, districts: Districts) -> NDArray[np.float64]:
    distances = pulse.moved_distances.astype(np.float64)
    sums = np.bincount(districts.of[pulse.moved_ids], weights=distances, minlength=len(districts.ids) + 1)
    return sums / max(float(distances.sum()), np.finfo(np.float64).tiny)


def _median(values: list[float]) -> float | None:
    return float(np.median(values)) if values else None


MAX_LISTED = 50
"""Maximum steps that stand out in one answer."""

_KEPT = 8
"""Runs whose figures are kept for the next step that is asked about: half a megabyte each at most."""


def find_outlying_steps(
    run: RunFolder,
    first: int = 1,
    last: int | None = None,
    most: int = MAX_LISTED,
    on_progress: Callable[[float], object] | None = None,
) -> OutlyingSteps:
    """Return the steps of a run that stand out by their loss, gradient norm or number of moved rows. Of more
    than `MAX_JUDGED` from `first` to `last` (None: the newest), the last are judged; at most `most` are
    listed. `on_progress` is called with the share done; None: figures read before are used again.
    """
    with StepsReader(run.steps_path) as reader:
        newest = reader.newest_step()
        end = min(last or newest[1], newest[1])
        if on_progress is None:
            return _read_once(run.steps_path, newest, first, end).list_outlying(most)
        return read_judged_figures(reader, first, end, on_progress).list_outlying(most)


def explain(run: RunFolder, step: int) -> StepCause:
    """Return what was in a step, beside what is usual around it.

    Raises:
        LookupError: the step is not recorded.
        FormatError, FrameError: this version cannot read the run, or it is damaged.
    """
    with StepsReader(run.steps_path) as reader:
        newest = reader.newest_step()
        if not 1 <= step <= newest[1]:
            raise LookupError(step)
        figures = _read_once(run.steps_path, newest, *_judged_with(step, newest[1]))
        return explain_step(run, reader, step, figures, _read_districts(run, step))


@lru_cache(_KEPT)
def _read_once(path: Path, newest: tuple[int, int], first: int, last: int) -> JudgedFigures:
    """Read the figures of steps. `newest`, the newest attempt and step, tells when they have to be read again."""
    with StepsReader(path) as reader:
        return read_judged_figures(reader, first, last)


def _judged_with(step: int, newest: int) -> tuple[int, int]:
    """Return the first and last step among which a step is judged: the whole search's, if it is there."""
    first = max(1, newest - MAX_JUDGED + 1)
    return (first, newest) if step >= first else (step, min(step + MAX_JUDGED - 1, newest))


def _read_districts(run: RunFolder, step: int) -> Districts | None:
    """Return the neighbourhoods found last at or before a step; None before the first search."""
    with suppress(FileNotFoundError, IndexError), LayoutsReader(run.layouts_path) as reader:
        entries = [entry for entry in reader.districts_entries() if entry.step <= step]
        if entries:
            newest = max(entries, key=lambda entry: (entry.step, entry.id))
            return decode_as(reader.districts_record(newest.id), Districts)
    return None
