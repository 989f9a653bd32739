"""The output matrix (unembedding) of a run's model at its waypoints and checkpoints. A row of the input matrix encodes
which words follow a word, a row of the output matrix which words precede it.

The record has the input matrix of every step; the output matrix is read from saved states, without torch. Tied weights
share one matrix (Press and Wolf 2017). The files are untrusted: header, shape and type are checked before any number is
read, and no other tensor is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lamplighter.contract.sentences import say
from lamplighter.runfolder.errors import FormatError, NoOutputMatrixError
from lamplighter.runfolder.matrices.stored_matrix import StoredMatrix, read_tensor_header
from lamplighter.runfolder.reading.snapshot import Snapshot, read_time
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader

_NAME = re.compile(r"(\d{10})-(\d{4})\.safetensors")
"""The name of a checkpoint (`model/checkpoint.py`): step and attempt."""
_MAX_HEADER = 4_000_000
"""Maximum bytes of a header, as for imports."""
_OUTPUT, _INPUT = "model.unembedding.weight", "model.embedding.weight"


@dataclass(frozen=True)
class OutputPoint:
    """A step with a saved output matrix."""

    attempt: int
    """The attempt that the step counts in."""
    step: int
    path: Path


OutputReader = Callable[[RunFolder, StepsReader, OutputPoint], Snapshot]
"""A function that returns the output matrix at a point, or raises FileNotFoundError if the state was removed."""


def has_tied_weights(run: RunFolder) -> bool | None:
    """Return whether the run's weights are tied; None for a run that was not trained here."""
    return None if run.recipe.corpus.kind == "recorded" else run.recipe.model.tied


def list_output_points(run: RunFolder, reader: StepsReader) -> list[OutputPoint]:
    """Return the recorded steps with a saved output matrix, ascending, without duplicates."""
    if has_tied_weights(run) is None:
        return []
    lineage, last = reader.lineage(), reader.newest_step()[1]
    found: dict[int, OutputPoint] = {}
    # Prefer a waypoint to a checkpoint of the same step, which is removed sooner.
    for folder in (run.checkpoints, run.waypoints):
        for path in sorted(folder.glob("*.safetensors")):
            if (match := _NAME.fullmatch(path.name)) is None:
                continue
            step, attempt = int(match[1]), int(match[2])
            if step <= last and lineage.goes_on_from(attempt, step):
                found[step] = OutputPoint(lineage.attempt_at(step), step, path)
    return [found[step] for step in sorted(found)]


def explain_no_output(run: RunFolder, points: Sequence[OutputPoint], step: int | None = None) -> str:
    """Return, as a sentence, why there is no output matrix at or before a step (None: at any step)."""
    if has_tied_weights(run) is None:
        return say("output_not_recorded")
    if not points:
        return say("output_not_kept")
    return say("output_kept_since", step=step or 0, first=points[0].step)


def choose_map_points(run: RunFolder, points: Sequence[OutputPoint]) -> list[OutputPoint]:
    """Choose the points at which a map is laid out: the waypoints. Checkpoints may be removed during the layout."""
    return [point for point in points if point.path.parent == run.waypoints]


def explain_no_output_map(run: RunFolder, points: Sequence[OutputPoint]) -> str | None:
    """Return, as a sentence, why no map of the output matrix can be laid out; None if one can."""
    if has_tied_weights(run):
        return say("output_tied")
    if not points:
        return explain_no_output(run, points)
    if len(choose_map_points(run, points)) < 2:
        return say("output_few_states")
    return None


def points_before(points: Sequence[OutputPoint], step: int | None) -> list[OutputPoint]:
    """Return the points at or before a step (None: all), newest first."""
    return [point for point in reversed(points) if step is None or point.step <= step]


def read_output_matrix(run: RunFolder, reader: StepsReader, point: OutputPoint) -> Snapshot:
    """Return the output matrix at a point; its `vectors` have shape (V, D). For tied weights it is the input
    matrix. Raises FileNotFoundError if the state was removed since the point was listed, FormatError if
    the file is damaged, or belongs to another model.
    """
    name = _INPUT if run.recipe.model.tied else _OUTPUT
    entry = read_tensor_header(point.path, _MAX_HEADER).get(name)
    if entry is None or not entry.is_matrix or entry.shape != (len(run.vocabulary), run.recipe.model.dim):
        raise FormatError(f"{point.path.name}: it has no output matrix of this run's model")
    vectors = StoredMatrix(point.path, entry)[:]
    return Snapshot(point.attempt, point.step, read_time(reader, point.step) or 0.0, vectors)


def find_output_point(run: RunFolder, reader: StepsReader, step: int | None) -> OutputPoint:
    """Return the newest point at or before a step (None: the newest of all). Raises NoOutputMatrixError if
    there is no such point.
    """
    points = list_output_points(run, reader)
    for point in points_before(points, step):
        return point
    raise NoOutputMatrixError(explain_no_output(run, points, step))


def read_output_matrix_at(
    run: RunFolder, reader: StepsReader, step: int | None, read: OutputReader = read_output_matrix
) -> Snapshot:
    """Return the output matrix at the newest point at or before a step (None: the newest of all), by `read`,
    which may have a cache. Raises NoOutputMatrixError if there is no such point, FormatError if the file
    is damaged.
    """
    points = list_output_points(run, reader)
    for point in points_before(points, step):
        try:
            return read(run, reader, point)
        except FileNotFoundError:
            # This one was thinned out; the one before it stays.
            continue
    raise NoOutputMatrixError(explain_no_output(run, points, step))
