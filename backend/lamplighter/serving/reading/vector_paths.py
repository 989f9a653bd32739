"""A token's vectors over the steps, their motion, or their distance to another token's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from starlette.responses import Response

from lamplighter.geometry.motion import VectorMotion, measure_motion
from lamplighter.geometry.pairs import PairDistance, pair_distance
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.serving.reading.downsampling import keep_extremes
from lamplighter.serving.reading.path_answers import (
    BLOCK_BYTES,
    MANY_STEPS,
    Columns,
    PathRequest,
    check_size,
    downsample,
)
from lamplighter.web.http.response_cost import LARGE_RESPONSE_BYTES
from lamplighter.web.http.step_range import resolve_step_range
from lamplighter.wire.binary import Floats

VectorMeaning = Literal["vectors", "motion", "pair"]


def answer_vector_history(path_request: PathRequest, meaning: VectorMeaning, other: int | None) -> Response:
    """Return a token's history over its exactly kept steps; `other` is the second token of a pair. Raises
    NoSnapshotError if none was kept exactly, RefusedError (422) if it is too large.
    """
    run = path_request.reply.run
    with path_request.catalog.open_history(run) as history:
        range_ = resolve_step_range(
            run, history.steps, path_request.first, path_request.last, path_request.attempt
        )
        last = max(0, range_.last)
        exact = path_request.run_index.exact_steps(run, history, last)
        both = [path_request.token_id, *([] if other is None else [other])]
        exact = history.steps_of_rows(exact, both, last)
    steps = exact[int(np.searchsorted(exact, path_request.first)) :]
    if not len(steps):
        raise NoSnapshotError(path_request.first, int(exact[-1]) if len(exact) else None)
    # A last step without a matrix may still get one, for example when the run ends.
    immutable = range_.immutable and int(steps[-1]) == range_.last
    path_request.tag(meaning, range_.lineage, len(steps), immutable=immutable, suffix=(other,))
    path_request.reply.add_facts(attempt=range_.attempt)
    dim = run.recipe.model.dim
    count = len(steps) if path_request.most is None else min(path_request.most, len(steps))
    numbers = count * (dim if meaning == "vectors" else 4)
    check_size(numbers, path_request.reply.form)

    def read() -> Columns:
        with path_request.catalog.open_history(run) as history:
            if other is not None:
                return _pair(history, path_request.token_id, other, steps, dim, path_request.most)
            read_columns = _vectors if meaning == "vectors" else _motion
            return read_columns(history, path_request.token_id, steps, dim, path_request.most)

    # A slow read counts as a large response.
    cost = max(8 * numbers, LARGE_RESPONSE_BYTES if len(steps) > MANY_STEPS else 0)
    return path_request.send(cost, read, **({} if other is None else {"with": other}))


def _vectors(
    history: MatrixHistory, token_id: int, steps: NDArray[np.int64], dim: int, most: int | None
) -> Columns:
    """Return every vector, or, after a first pass, those with an extreme length or displacement."""
    if most is None or len(steps) <= most:
        history_part = history.token_history(token_id, int(steps[0]), int(steps[-1]))
        return {"steps": history_part.steps, "vectors": history_part.vectors}
    moved = _motion(history, token_id, steps, dim, None)
    wanted = moved["steps"][keep_extremes([moved["length"], moved["displacement"]], most)]
    picked = [
        (block_steps, rows[np.isin(block_steps, wanted)])
        for block_steps, rows in _iterate_blocks(history, token_id, steps, dim)
    ]
    return {
        "steps": np.concatenate([block_steps[np.isin(block_steps, wanted)] for block_steps, _ in picked]),
        "vectors": np.concatenate([rows for _, rows in picked]),
    }


def _motion(
    history: MatrixHistory, token_id: int, steps: NDArray[np.int64], dim: int, most: int | None
) -> Columns:
    """Return the motion at each step. Memory holds five numbers per step, not the vectors."""
    steps_read: list[NDArray[np.int64]] = []
    parts: list[VectorMotion] = []
    start: NDArray[np.float64] | None = None
    before: NDArray[np.float64] | None = None
    for block_steps, vectors in _iterate_blocks(history, token_id, steps, dim):
        parts.append(measure_motion(vectors, start, before))
        steps_read.append(block_steps)
        start = vectors[0].astype(np.float64) if start is None else start
        before = vectors[-1].astype(np.float64)
    series = [np.concatenate(block_steps) for block_steps in zip(*parts, strict=True)]
    columns: Columns = {
        "steps": np.concatenate(steps_read),
        **dict(zip(VectorMotion._fields, series, strict=True)),
    }
    return downsample(columns, series, most)


def _pair(
    history: MatrixHistory, token_id: int, other: int, steps: NDArray[np.int64], dim: int, most: int | None
) -> Columns:
    """Return distance and cosine at each step. Memory holds these two numbers per step, not the vectors."""
    steps_read: list[NDArray[np.int64]] = []
    parts: list[PairDistance] = []
    walks = (_iterate_blocks(history, each_id, steps, dim) for each_id in (token_id, other))
    for (block_steps, here), (_, there) in zip(*walks, strict=True):
        parts.append(pair_distance(here, there))
        steps_read.append(block_steps)
    series = [np.concatenate(block_steps) for block_steps in zip(*parts, strict=True)]
    columns: Columns = {
        "steps": np.concatenate(steps_read),
        **dict(zip(PairDistance._fields, series, strict=True)),
    }
    return downsample(columns, series, most)


def _iterate_blocks(
    history: MatrixHistory, token_id: int, steps: NDArray[np.int64], dim: int
) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """Yield a token's vectors at ascending kept steps in blocks, so that memory is bounded by one block."""
    size = max(1, BLOCK_BYTES // (4 * dim))
    for start in range(0, len(steps), size):
        block = history.token_history(token_id, int(steps[start]), int(steps[start : start + size][-1]))
        # A row may be kept at more steps than that of the other token of a pair.
        wanted = np.isin(block.steps, steps)
        yield block.steps[wanted], block.vectors[wanted]
