"""Audit of runs that no process writes: reopens every file and reports steps lost, half visible or mixed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from lamplighter.analysis.measures import measure
from lamplighter.runfolder.errors import READ_ERRORS, NoSnapshotError
from lamplighter.runfolder.reading.current_map import layouts_on_lineage
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.waypoint_budget import expected_waypoints, waypoint_room
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.pulse_frames import Pulse
from tests.soak.reference import ReferenceRun, content_digest, pulses_of

FORGED = b"\0"
"""A digest that the soak writes in place of another, so that a replay finds a difference."""

Seen = dict[tuple[int, int], bytes]
"""Digest by (attempt, step), as a reader saw it committed."""


@dataclass
class Faults:
    """The faults found, as sentences."""

    lost: list[str] = field(default_factory=list[str])
    half_visible: list[str] = field(default_factory=list[str])
    mixed: list[str] = field(default_factory=list[str])

    def extend(self, other: Faults) -> None:
        """Add the faults of another audit."""
        self.lost += other.lost
        self.half_visible += other.half_visible
        self.mixed += other.mixed

    @property
    def empty(self) -> bool:
        """Return whether there are no faults."""
        return not (self.lost or self.half_visible or self.mixed)


def audit(
    run: RunFolder, reference: ReferenceRun, seen: Seen, forgeries: int, *, over: bool = False
) -> Faults:
    """Compare a run with the reference.

    Args:
        run: a run that no process writes.
        reference: the reference for its recipe.
        seen: the steps that readers saw of it.
        forgeries: number of provoked attempts; the run must not have opened more than these.
        over: the run is finished, so every step must be present.
    """
    faults = Faults()
    if not run.steps_path.exists():
        faults.lost += [f"{run.id}: its steps are gone"] if seen or over else []
        return faults
    for look in (_steps, _matrices, _layouts, _measures, _checkpoints):
        _guarded(faults, run, look.__name__.strip("_"), lambda look=look: look(run, reference, faults))
    _guarded(faults, run, "what was seen", lambda: _seen(run, seen, forgeries, faults))
    if over:
        _guarded(faults, run, "the end", lambda: _complete(run, reference, faults))
    return faults


def _guarded(faults: Faults, run: RunFolder, what: str, look: Callable[[], None]) -> None:
    try:
        look()
    except FileNotFoundError:
        pass  # Not made yet; the other checks report files that must exist.
    except (*READ_ERRORS, NoSnapshotError, ValueError) as error:
        faults.half_visible.append(f"{run.id}: {what} cannot be read: {type(error).__name__}: {error}")


def _steps(run: RunFolder, reference: ReferenceRun, faults: Faults) -> None:
    with MatrixHistory(run) as history:
        line, (_, last) = history.steps.lineage(), history.steps.newest_step()
        digests, pulses = history.steps.digests(1, last), dict(pulses_of(history, last))
    ends = [(first, end) for _, first, end in line.ranges]
    if any(end + 1 != first for (_, end), (first, _) in itertools.pairwise(ends)):
        faults.mixed.append(f"{run.id}: the line has gaps or overlaps: {line}")
    for step in range(1, last + 1):
        if step not in digests or step not in pulses:
            faults.lost.append(f"{run.id}: step {step} of {last} is not there")
            continue
        pulse = decode_as(pulses[step], Pulse)
        if (pulse.attempt, pulse.step) != (line.attempt_at(step), step):
            faults.mixed.append(f"{run.id}: step {step} holds the pulse of {pulse.attempt}/{pulse.step}")
        if (
            digests[step] not in (reference.digests[step], FORGED)
            or content_digest(pulse) != reference.pulses[step]
        ):
            faults.lost.append(f"{run.id}: step {step} is not what it was")


def _matrices(run: RunFolder, reference: ReferenceRun, faults: Faults) -> None:
    with MatrixHistory(run) as history:
        line, (_, last) = history.steps.lineage(), history.steps.newest_step()
        if not history.steps.keyframe_steps():
            return
        missing = set(range(last + 1)) - set(history.exact_steps().tolist())
        faults.half_visible += [f"{run.id}: step {step} has a pulse and no rows" for step in sorted(missing)]
        if missing:
            return
        for snapshot in history.snapshots(0, last):
            if not np.array_equal(snapshot.vectors, reference.matrices[snapshot.step]):
                faults.lost.append(f"{run.id}: the matrix of step {snapshot.step} is not what it was")
            if snapshot.attempt != line.attempt_at(snapshot.step):
                faults.mixed.append(f"{run.id}: the matrix of step {snapshot.step} is of {snapshot.attempt}")
        for token in (0, len(run.vocabulary) // 2):
            path = history.token_history(token)
            if not np.array_equal(path.vectors, reference.matrices[path.steps, token]):
                faults.lost.append(f"{run.id}: the path of token {token} is not what it was")


def _layouts(run: RunFolder, reference: ReferenceRun, faults: Faults) -> None:
    with MatrixHistory(run) as history:
        line, (_, last) = history.steps.lineage(), history.steps.newest_step()
    with LayoutsReader(run.layouts_path) as reader:
        counting = {entry.id for entry in layouts_on_lineage(reader, line)}
        for entry in reader.layout_entries(limit=100_000):
            layout = decode_as(reader.layout_record(entry.id), Layout)
            size = reference.matrices.shape[1]
            if layout.coordinates.shape != (size, 2) or not np.isfinite(layout.coordinates).all():
                faults.half_visible.append(f"{run.id}: layout {entry.id} is not whole")
            if (layout.attempt, layout.step, layout.method) != (entry.attempt, entry.step, entry.method):
                faults.mixed.append(f"{run.id}: layout {entry.id} is of another step than its row says")
            if entry.id in counting and entry.step > last:
                faults.lost.append(f"{run.id}: a layout of step {entry.step}, and the last step is {last}")


def _measures(run: RunFolder, reference: ReferenceRun, faults: Faults) -> None:
    with MatrixHistory(run) as history, MeasuresReader(run.measures_path) as reader:
        found = reader.by_step(lineage=history.steps.lineage())
        for step in list(found)[:: max(1, len(found) // 8)]:
            if step > history.steps.newest_step()[1]:
                faults.lost.append(f"{run.id}: measures of step {step}, which is not there")
                continue
            matrix = reference.matrices[step]
            expected = measure(matrix, run.vocabulary, read_touches(history.steps, step).touches)
            if found[step] != {name: value for name, value in expected.items() if value == value}:
                faults.mixed.append(f"{run.id}: the measures of step {step} are not of that step")


def _checkpoints(run: RunFolder, reference: ReferenceRun, faults: Faults) -> None:
    for path in [*run.checkpoints.glob("*.safetensors"), *run.waypoints.glob("*.safetensors")]:
        try:
            with safe_open(path, framework="np") as file:
                matrix = file.get_tensor("model.embedding.weight")
                _ = [file.get_tensor(name) for name in file.keys()]  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            faults.half_visible.append(f"{run.id}: {path.name} is not whole: {error}")
            continue
        if not np.array_equal(matrix, reference.matrices[int(path.name[:10])]):
            faults.mixed.append(f"{run.id}: {path.name} holds another step")


def _seen(run: RunFolder, seen: Seen, forgeries: int, faults: Faults) -> None:
    with MatrixHistory(run) as history:
        line, (_, last) = history.steps.lineage(), history.steps.newest_step()
        digests = history.steps.digests(1, last)
    if line.newest_attempt > 1 + forgeries:
        faults.mixed.append(f"{run.id}: {line.newest_attempt} attempts, and only {forgeries} were provoked")
    for (attempt, step), digest in seen.items():
        if line.counts(attempt, step):
            if digests.get(step) not in (digest, FORGED):
                faults.lost.append(f"{run.id}: step {step} of attempt {attempt} was seen and is gone")
        elif (newer := line.range_at(step)) is None or newer.attempt <= attempt:
            faults.lost.append(f"{run.id}: step {step} of attempt {attempt} was seen; nothing supersedes it")


def _complete(run: RunFolder, reference: ReferenceRun, faults: Faults) -> None:
    with MatrixHistory(run) as history:
        last = history.steps.newest_step()[1]
        forged = [s for s, digest in history.steps.digests(1, last).items() if digest == FORGED]
    if last != reference.steps or forged:
        faults.lost.append(
            f"{run.id}: it ends at {last}, not at {reference.steps}; not computed again: {forged}"
        )
    room = waypoint_room(run.recipe, len(run.vocabulary))
    expected = expected_waypoints(last, run.recipe.cadence.waypoint_every, room)
    with StepsReader(run.steps_path) as reader:
        line = reader.lineage()
    kept = {(int(path.name[:10]), int(path.name[11:15])) for path in run.waypoints.glob("*.safetensors")}
    if lacking := sorted(expected - {step for step, attempt in kept if line.counts(attempt, step)}):
        faults.lost.append(f"{run.id}: there is no waypoint of the steps {lacking}")


def leftovers(run: RunFolder) -> list[Path]:
    """Return files with the names of half-written ones, which no process will ever finish."""
    return [*run.path.rglob("*.part"), *run.path.glob(".*")]
