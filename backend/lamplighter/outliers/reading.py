"""The reading of the steps that stand out, and of one of them, from a run's folder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from lamplighter.outliers.answer import OutlyingSteps, StepCause
from lamplighter.outliers.step_cause import explain_step
from lamplighter.outliers.step_figures import MAX_JUDGED, StepFigures, read_step_figures
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import decode_as

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
    """Return the steps of a run that stand out by their loss, gradient norm or number of moved rows.

    Of more than `MAX_JUDGED` from `first` to `last` (None: the newest), the last are judged; at most `most`
    are listed. `on_progress` is called with the share done; None: figures read before are used again.
    """
    with StepsReader(run.steps_path) as reader:
        newest = reader.newest_step()
        end = min(last or newest[1], newest[1])
        if on_progress is None:
            return _read_once(run.steps_path, newest, first, end).list_outlying(most)
        return read_step_figures(reader, first, end, on_progress).list_outlying(most)


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
def _read_once(path: Path, newest: tuple[int, int], first: int, last: int) -> StepFigures:
    """Read the figures of steps. `newest`, the newest attempt and step, tells when they have to be read again."""
    with StepsReader(path) as reader:
        return read_step_figures(reader, first, last)


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
