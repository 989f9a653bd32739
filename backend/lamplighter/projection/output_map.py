"""The output map: that of a run's output matrix, laid out jointly at all waypoints, so that it does not jump.

It is stored in `output-layouts.sqlite`. UMAP determines neither the arrangement of clusters nor the rotation
or reflection of a map. So the fit starts at the map of the input matrix, and the result is aligned to that
map without changing its shape.
"""

from __future__ import annotations

import time
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from lamplighter.corpora.modular import number_ids
from lamplighter.projection.joint_layouts import (
    JointSlices,
    ReprojectionError,
    ReprojectionProgress,
    ReprojectionSummary,
    choose_spread,
    write_joint_layouts,
)
from lamplighter.runfolder.reading.current_map import (
    layouts_on_lineage,
    newest_layout_entry,
    read_map_settings,
)
from lamplighter.runfolder.reading.output_matrix import (
    OutputPoint,
    choose_map_points,
    explain_no_output_map,
    list_output_points,
    read_output_matrix,
)
from lamplighter.runfolder.reading.snapshot import Snapshot
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.finalise import whole_file
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from living_map.procrustes import RigidMotion, align_to_previous, fit_rigid_motion

SLICES = 60
"""Maximum steps laid out; a default run has 27 waypoints."""


def lay_out_output(
    run: RunFolder, progress: ReprojectionProgress, slices: int = SLICES
) -> ReprojectionSummary:
    """Lay out the output matrix of a run at its waypoints, at most `slices` of them, evenly spaced. Only one
    process at a time may do this (role `output-projector`). It raises ReprojectionError if the run has no
    separate output matrix, or too few waypoints.
    """
    start = time.monotonic()
    with whole_file(run.output_layouts_path) as part, StepsReader(run.steps_path) as reader:
        size = len(run.vocabulary.tokens)
        points = _choose_points(run, reader, size, slices)

        def read(index: int) -> Snapshot:
            return _read_kept(run, reader, points[index])

        target = _input_map(run, reader, points[-1].step)
        trusts = write_joint_layouts(
            part,
            JointSlices(
                [point.step for point in points], read, size, numbers=number_ids(run.recipe.corpus, size)
            ),
            read_map_settings(run).current,
            reader.newest_step()[1],
            progress,
            target,
            lambda coordinates: coordinates if target is None else align_slices(coordinates, target),
        )
    return ReprojectionSummary(len(trusts), float(np.nanmedian(trusts)), time.monotonic() - start)


def align_slices(coordinates: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float32]:
    """Align a whole map, (T, V, 2), to another, (V, 2), by its last slice. By rotation, translation and, if
    needed, reflection. All slices move together; distances stay.
    """
    best: tuple[float, NDArray[np.float32], RigidMotion] | None = None
    for sign in (1, -1):
        slices = coordinates * np.array([sign, 1], dtype=np.float32)
        settled = align_to_previous(slices[-1], target)
        apart = float(np.median(np.linalg.norm(settled - target, axis=1)))
        if best is None or apart < best[0]:
            best = apart, slices, fit_rigid_motion(slices[-1], settled)
    assert best is not None
    _, slices, motion = best
    return np.stack([motion.apply(one) for one in slices])


def _choose_points(run: RunFolder, reader: StepsReader, size: int, limit: int) -> list[OutputPoint]:
    """Choose waypoints evenly, up to the last whose matrix is finite; at least two."""
    listed = list_output_points(run, reader)
    if reason := explain_no_output_map(run, listed):
        raise ReprojectionError(reason)
    points = choose_map_points(run, listed)
    while points and not np.isfinite(_read_kept(run, reader, points[-1]).vectors).all():
        points.pop()
    if len(points) < 2:
        raise ReprojectionError("fewer than two kept states of this run's model hold finite numbers")
    return [points[number] for number in choose_spread(len(points), size, limit)]


def _read_kept(run: RunFolder, reader: StepsReader, point: OutputPoint) -> Snapshot:
    try:
        return read_output_matrix(run, reader, point)
    except FileNotFoundError as error:
        raise ReprojectionError(f"the state of step {point.step:,} was removed: try again") from error


def _input_map(run: RunFolder, reader: StepsReader, step: int) -> NDArray[np.float32] | None:
    """Return positions on the map of the input matrix, (V, 2), preferably the smoothed one, if laid out."""
    lineage = reader.lineage()
    for path in (run.relayouts_path, run.layouts_path):
        with suppress(FileNotFoundError), LayoutsReader(path) as layouts:
            entry = newest_layout_entry(layouts_on_lineage(layouts, lineage), Method.UMAP, step)
            if entry is not None:
                found = decode_as(layouts.layout_record(entry.id), Layout).coordinates
                return found if np.isfinite(found).all() else None
    return None
