"""Layouts of many steps of a run, laid out jointly, with both past and future in view.

The linear view uses the directions of the last step. A finished run's are stored in `relayouts.sqlite`, beside the live
layouts.

The output map is that of a run's output matrix, laid out jointly at all waypoints, so that it does not jump, and stored in
`output-layouts.sqlite`. UMAP determines neither the arrangement of clusters nor the rotation or reflection of a map. So
the fit starts at the map of the input matrix, and the result is aligned to that map without changing its shape.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.recipe import MapRecipe
from lamplighter.contract.sentences import say
from lamplighter.corpora.modular import number_ids
from lamplighter.geometry.neighbours import finite_rows
from lamplighter.projection.landmarks import LandmarkIndex, PrincipalRows
from lamplighter.projection.linear_view import LinearView, fourier_view, principal_view, rows_of_view
from lamplighter.projection.quality import score_layout
from lamplighter.projection.umap_view import NEIGHBOURS_USED, settings_from_recipe
from lamplighter.runfolder.reading.current_map import (
    layouts_on_lineage,
    newest_layout_entry,
    read_map_settings,
)
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.output_matrix import (
    OutputPoint,
    choose_map_points,
    explain_no_output_map,
    list_output_points,
    read_output_matrix,
)
from lamplighter.runfolder.reading.snapshot import OpenSnapshot, Snapshot
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LANDMARKS_FACT, UNTIL_FACT, LayoutsReader, LayoutsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.finalise import whole_file
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from living_map.joint_umap import LEARNING_RATES, JointLayout
from living_map.nearest_neighbours import NeighbourIndex
from living_map.procrustes import RigidMotion, align_to_previous, fit_rigid_motion
from living_map.trust import TrustProbe

_PLACES_BYTES = 512 << 20
"""Maximum bytes for the positions of all slices and the state between them; limits the number of slices."""

ReprojectionProgress = Callable[[float, str], None]
"""A callback that gets the share done, from 0 to 1, and a description. An exception it raises stops the work."""
SliceReader = Callable[[int], Snapshot | OpenSnapshot]
"""A function that returns the matrix of a slice, by its number."""
SlicePlacement = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""A function that moves the positions of all slices together, shape (T, V, 2)."""


class ReprojectionError(RuntimeError):
    """An error for a run that cannot be reprojected; the message says why."""


@dataclass(frozen=True)
class ReprojectionSummary:
    """A summary of the result."""

    steps: int
    trust: float
    """Median trustworthiness of the layouts."""
    seconds: float


@dataclass(frozen=True)
class JointSlices:
    """The matrices to lay out jointly."""

    steps: Sequence[int]
    read: SliceReader
    size: int
    """The number of tokens V."""
    landmarks: NDArray[np.int64] | None = None
    """The tokens to lay out, shape (L,); the others are placed by them. None for all."""
    numbers: NDArray[np.int64] | None = None
    """The tokens of the numbers of a clock in their order, whose circle the linear view shows; None without."""

    def visit(self, *, backward: bool) -> Iterator[tuple[int, Snapshot | OpenSnapshot]]:
        """Yield the numbers of the slices with their matrices; raise ReprojectionError for one not finite."""
        order = range(len(self.steps))
        for index in reversed(order) if backward else order:
            snapshot = self.read(index)
            if not finite_rows(snapshot.vectors).all():
                raise ReprojectionError(say("map_not_finite", step=self.steps[index]))
            yield index, snapshot


def choose_spread(count: int, size: int, limit: int) -> list[int]:
    """Return the numbers of evenly spaced slices, including the first and the last, ascending. `count`: of at
    least 2; `size`: V, of which large ones allow fewer.
    """
    fitting = min(limit, max(2, _PLACES_BYTES // (12 * size)), count)
    return np.unique(np.linspace(0, count - 1, fitting).round().astype(int)).tolist()


def write_joint_layouts(
    part: Path,
    slices: JointSlices,
    chosen: MapRecipe,
    until: int,
    progress: ReprojectionProgress,
    start: NDArray[np.float32] | None = None,
    place: SlicePlacement | None = None,
) -> list[float]:
    """Lay out some matrices jointly and write their layouts into a file. Return the trust of each. `until`:
    the run's newest step; `start`: initial positions for the fit, shape (V, 2); `place` moves the finished
    map rigidly. It raises ReprojectionError if a matrix is not finite.
    """
    laid_out = slices.landmarks
    size = slices.size if laid_out is None else len(laid_out)
    reduced = None if laid_out is None else PrincipalRows(laid_out)
    joint = JointLayout(len(slices.steps), size, settings_from_recipe(chosen), start)
    view: LinearView | None = None
    passes = len(LEARNING_RATES) + 1
    for sweep in range(len(LEARNING_RATES)):
        for number, (index, snapshot) in enumerate(slices.visit(backward=sweep % 2 == 0)):
            share = (sweep + number / len(slices.steps)) / passes
            progress(share, f"sweep {sweep + 1}, step {snapshot.step:,}")
            vectors = snapshot.vectors[:] if reduced is None else reduced.reduce(snapshot.vectors)[laid_out]
            if view is None:
                at = snapshot.attempt, snapshot.step
                view = (
                    principal_view(rows_of_view(snapshot.vectors, laid_out), *at)
                    if slices.numbers is None
                    else fourier_view(snapshot.vectors[slices.numbers], *at)
                )
            joint.refine_slice(index, vectors, sweep)
    joint.remove_jitter()
    assert view is not None
    coordinates = joint.coordinates if place is None else place(joint.coordinates)
    probe = TrustProbe(slices.size)
    nearest = NeighbourIndex(NEIGHBOURS_USED) if laid_out is None else LandmarkIndex(laid_out)
    trusts: list[float] = []
    with LayoutsWriter(part) as writer:
        for index, snapshot in slices.visit(backward=False):
            share = (len(LEARNING_RATES) + index / len(slices.steps)) / passes
            progress(share, f"trust of step {snapshot.step:,}")
            probe.set_space(snapshot.vectors)
            nearest.update(
                snapshot.vectors[:] if reduced is None else reduced.reduce(snapshot.vectors),
                joint.known_neighbours(index, NEIGHBOURS_USED),
            )
            shown = coordinates[index].copy()
            for method, places in (
                (Method.LINEAR, view.project(snapshot.vectors)),
                (Method.UMAP, nearest.place(shown) if isinstance(nearest, LandmarkIndex) else shown),
            ):
                layout = score_layout(
                    snapshot.attempt,
                    snapshot.step,
                    method,
                    places,
                    probe,
                    (nearest.ids, nearest.cosines),
                    laid_out,
                )
                writer.commit(layout)
            trusts.append(layout.trust)
        facts = {"map": chosen.model_dump(), "linear": view.to_facts(), "made": time.time()}
        if isinstance(nearest, LandmarkIndex):
            facts[LANDMARKS_FACT] = probe.estimate(nearest.place(coordinates[-1])).of_kinds(nearest.landmarks)
        writer.set_facts({**facts, UNTIL_FACT: until})
        if not writer.close(sealed=True):
            raise ReprojectionError(say("map_not_saved"))
    return trusts


SLICES = 120
"""Default number of steps laid out."""


def reproject(run: RunFolder, progress: ReprojectionProgress, slices: int = SLICES) -> ReprojectionSummary:
    """Reproject a finished run. Only one process at a time may do this (role `reprojector`).

    `slices`: evenly spaced steps of those stored exactly, including the first and the last; fewer if too few
    are stored or the vocabulary is large. It raises ReprojectionError if the run has not ended, or too few
    are stored.
    """
    start = time.monotonic()
    with whole_file(run.relayouts_path) as part, MatrixHistory(run) as history:
        if not history.steps.phase().has_ended:
            raise ReprojectionError(say("map_not_over"))
        size = len(run.vocabulary.tokens)
        steps = _choose_steps(history, size, slices)
        chosen = JointSlices(
            steps,
            lambda index: history.open_snapshot(steps[index]),
            size,
            run.landmarks,
            number_ids(run.recipe.corpus, size),
        )
        newest = history.steps.newest_step()[1]
        trusts = write_joint_layouts(part, chosen, read_map_settings(run).current, newest, progress)
    return ReprojectionSummary(len(trusts), float(np.nanmedian(trusts)), time.monotonic() - start)


def _choose_steps(history: MatrixHistory, size: int, limit: int) -> list[int]:
    """Choose steps evenly from those stored exactly, up to the last whose matrix is finite; at least two."""
    exact = history.exact_steps()
    while len(exact) and not finite_rows(history.open_snapshot(int(exact[-1])).vectors).all():
        exact = exact[:-1]
    if len(exact) < 2:
        raise ReprojectionError(say("map_few_steps"))
    return [int(exact[number]) for number in choose_spread(len(exact), size, limit)]


OUTPUT_SLICES = 60
"""Maximum steps laid out; a default run has 27 waypoints."""


def lay_out_output(
    run: RunFolder, progress: ReprojectionProgress, slices: int = OUTPUT_SLICES
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
