"""The reprojection of a finished run for replay, with both past and future in view.

The result lies beside the live layouts in its own file (`relayouts.sqlite`), which appears whole or not at
all. Until the last sweep is done it has another name, and the next process deletes what a killed one left
under that name. Its linear view uses the directions of the last step throughout.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lamplighter.platform.folder_sync import replace_durably, sync_file
from lamplighter.projection.methods.joint_umap import LEARNING_RATES, JointLayout
from lamplighter.projection.methods.linear_view import LinearView, principal_view
from lamplighter.projection.methods.registry import settings_from_recipe
from lamplighter.projection.quality.layout_score import score_layout
from lamplighter.projection.quality.neighbour_source import NEIGHBOURS_USED
from lamplighter.projection.quality.trust import TrustProbe
from lamplighter.projection.umap.nearest_neighbours import NeighbourIndex
from lamplighter.runfolder.reading.map_settings import read_map_settings
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import Snapshot
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import UNTIL_FACT, LayoutsWriter
from lamplighter.wire.layout_frames import Method

SLICES = 120
"""Default number of steps laid out."""
_PLACES_BYTES = 512 << 20
"""Bytes for the positions of all slices and the state between them; if they need more, there are fewer
slices."""

ReprojectionProgress = Callable[[float, str], None]
"""A callback that gets the share done, from 0 to 1, and a description. An exception that it raises ends the
work."""


class ReprojectionError(RuntimeError):
    """A run that cannot be reprojected; the message says why."""


@dataclass(frozen=True)
class ReprojectionSummary:
    """A summary of the result."""

    steps: int
    trust: float
    """Median trustworthiness of its layouts."""
    seconds: float


def reproject(run: RunFolder, progress: ReprojectionProgress, slices: int = SLICES) -> ReprojectionSummary:
    """Reproject a finished run. Only one process at a time may do so (the role `reprojector`).

    Args:
        run: the run.
        progress: called after every slice.
        slices: how many steps to lay out, evenly spaced over those stored exactly, the first and the last
            among them; fewer where too few are stored, or the vocabulary is large.

    Raises:
        ReprojectionError: the run is not over, or too few of its steps are stored.
        FileNotFoundError: the run has not begun.
        FormatError: this version cannot read the run.
    """
    start = time.monotonic()
    part = run.relayouts_path.with_suffix(".part")
    _delete_part(part)
    try:
        with MatrixHistory(run) as history:
            trusts = _write_layouts(run, history, part, progress, slices)
        sync_file(part)
        replace_durably(part, run.relayouts_path)
    except BaseException:
        _delete_part(part)
        raise
    return ReprojectionSummary(len(trusts), float(np.nanmedian(trusts)), time.monotonic() - start)


def _write_layouts(
    run: RunFolder, history: MatrixHistory, part: Path, progress: ReprojectionProgress, slices: int
) -> list[float]:
    if not history.steps.phase().has_ended:
        raise ReprojectionError("this run is not over: it can be laid out anew once it is")
    size = len(run.vocabulary.tokens)
    steps = _choose_steps(history, min(slices, max(2, _PLACES_BYTES // (12 * size))))
    chosen = read_map_settings(run).current
    joint = JointLayout(len(steps), size, settings_from_recipe(chosen))
    view: LinearView | None = None
    passes = len(LEARNING_RATES) + 1
    for sweep in range(len(LEARNING_RATES)):
        for number, (index, snapshot) in enumerate(
            _snapshots_of_slices(history, steps, backward=sweep % 2 == 0)
        ):
            progress((sweep + number / len(steps)) / passes, f"sweep {sweep + 1}, step {snapshot.step:,}")
            if view is None:
                view = principal_view(snapshot.vectors, snapshot.attempt, snapshot.step)
            joint.refine_slice(index, snapshot.vectors, sweep)
    joint.remove_jitter()
    assert view is not None
    probe, nearest = TrustProbe(size), NeighbourIndex(NEIGHBOURS_USED)
    trusts: list[float] = []
    with LayoutsWriter(part) as writer:
        for index, snapshot in _snapshots_of_slices(history, steps, backward=False):
            progress((len(LEARNING_RATES) + index / len(steps)) / passes, f"trust of step {snapshot.step:,}")
            probe.set_space(snapshot.vectors)
            nearest.update(snapshot.vectors)
            linear = view.project(snapshot.vectors)
            for method, coordinates in (
                (Method.LINEAR, linear),
                (Method.UMAP, joint.coordinates[index].copy()),
            ):
                layout = score_layout(
                    snapshot.attempt,
                    snapshot.step,
                    method,
                    coordinates,
                    probe,
                    (nearest.ids, nearest.cosines),
                )
                writer.commit(layout)
            trusts.append(layout.trust)
        facts = {"map": chosen.model_dump(), "linear": view.to_facts(), "made": time.time()}
        writer.set_facts({**facts, UNTIL_FACT: history.steps.newest_step()[1]})
        if not writer.close(sealed=True):
            raise ReprojectionError("what was made could not be closed: try again")
    return trusts


def _choose_steps(history: MatrixHistory, limit: int) -> list[int]:
    """Choose steps evenly from those stored exactly, up to the last whose matrix is finite; at least two."""
    exact = history.exact_steps()
    while len(exact) and not np.isfinite(history.snapshot(int(exact[-1])).vectors).all():
        exact = exact[:-1]
    if len(exact) < 2:
        raise ReprojectionError("fewer than two steps of this run are kept exactly")
    some = exact[np.unique(np.linspace(0, len(exact) - 1, min(limit, len(exact))).round().astype(int))]
    return [int(step) for step in some]


def _snapshots_of_slices(
    history: MatrixHistory, steps: list[int], *, backward: bool
) -> Iterator[tuple[int, Snapshot]]:
    """Yield the slices and their snapshots, from the first to the last or backward."""
    order = range(len(steps))
    for index in reversed(order) if backward else order:
        snapshot = history.snapshot(steps[index])
        if not np.isfinite(snapshot.vectors).all():
            raise ReprojectionError(f"step {steps[index]:,} holds numbers that are not finite")
        yield index, snapshot


def _delete_part(part: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        part.with_name(part.name + ending).unlink(missing_ok=True)
