"""A token's history over the steps: the request, its limits and formats, and its vectors, their motion, or their distance
to another token's, sent in blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from starlette.responses import Response

from lamplighter.exports.formats.tensor_files import (
    ArrowStream,
    import_pyarrow,
    npy_header,
    safetensors_header,
    vector_column,
)
from lamplighter.geometry.motion import VectorMotion, measure_motion
from lamplighter.geometry.pairs import PairDistance, pair_distance
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.reading.run_index import RunIndex
from lamplighter.serving.reading.step_reading import keep_extremes
from lamplighter.web.http.content_negotiation import ARROW, JSON, NPY, SAFETENSORS, ResponseFormat
from lamplighter.web.http.reply import Reply
from lamplighter.web.http.response_cost import LARGE_RESPONSE_BYTES, check_bytes, check_json_numbers
from lamplighter.web.http.step_range import resolve_step_range
from lamplighter.web.http.streaming import json_parts
from lamplighter.wire.binary import Floats

OFFERED = (JSON, NPY, ARROW)
MAX_BYTES = 128 << 20
BLOCK_BYTES = 8 << 20
MANY_STEPS = 2_000
_ROWS = 1_000


Columns = dict[str, NDArray[Any]]
"""Columns by name, each with N entries; a vector column has shape (N, D)."""


@dataclass(frozen=True)
class PathRequest:
    """A validated request for one token's history, with its reply."""

    reply: Reply
    catalog: RunCatalog
    run_index: RunIndex
    token_id: int
    first: int
    last: int | None
    """The last step, inclusive; None: the newest."""
    most: int | None
    """The maximum number of steps to return, including the extremes; None: all."""
    attempt: int | None

    def tag(self, meaning: str, *parts: object, immutable: bool, suffix: tuple[object, ...] = ()) -> None:
        """Set the tag of the reply: a history of this meaning, which also depends on `parts` and `suffix`."""
        form = self.reply.form.name
        self.reply.tag("path", self.token_id, meaning, *parts, self.most, form, *suffix, immutable=immutable)

    def send(self, cost: int, read: Callable[[], Columns], **facts: Any) -> Response:
        """Stream the columns that `read` returns; `cost` is the memory for reading them, in bytes."""
        return self.reply.send(
            cost, columns_maker(read, {"token_id": self.token_id} | facts, self.reply.form)
        )


def check_size(numbers: int, form: ResponseFormat) -> None:
    """Refuse (422) an answer of more than `MAX_BYTES`, or of more numbers than JSON should carry; the message says
    how to ask for less.
    """
    check_bytes("that many steps", 4 * numbers, MAX_BYTES, "ask for fewer with from, to or most")
    check_json_numbers(form, numbers, "ask for fewer steps with from, to or most, or for format=npy")


def downsample(columns: Columns, series: list[NDArray[Any]], most: int | None) -> Columns:
    """Return the columns at no more than `most` steps, including the extremes of each series."""
    if most is None:
        return columns
    kept = keep_extremes(series, most)
    return {name: column[kept] for name, column in columns.items()}


def columns_maker(
    read: Callable[[], Columns], facts: dict[str, Any], form: ResponseFormat
) -> Callable[[], Iterator[bytes]]:
    """Return a function that reads the columns and yields them in the requested format."""

    def make() -> Iterator[bytes]:
        if form is NPY:
            return _npy(read())
        if form is ARROW:
            import_pyarrow()
            return _arrow(read(), facts)
        columns = read()
        *others, (name, last) = columns.items()
        facts_and_columns = {**facts, **{label: column.tolist() for label, column in others}}
        return json_parts(
            facts_and_columns, name, (last[start : start + _ROWS] for start in range(0, len(last), _ROWS))
        )

    return make


def _npy(columns: Columns) -> Iterator[bytes]:
    """Yield an `.npy` file with one record per step, so that the file includes the steps."""
    names = {"steps": "step", "vectors": "vector"}
    size = len(columns["steps"])
    dtype = np.dtype([(names.get(n, n), c.dtype, c.shape[1:]) for n, c in columns.items()])
    yield npy_header(dtype, (size,))
    for start in range(0, size, _ROWS):
        records = np.empty(min(_ROWS, size - start), dtype=dtype)
        for name, column in columns.items():
            records[names.get(name, name)] = column[start : start + _ROWS]
        yield records.tobytes()


def _arrow(columns: Columns, facts: dict[str, Any]) -> Iterator[bytes]:
    arrow = import_pyarrow()
    names = {"steps": "step", "vectors": "vector"}
    arrays = {
        names.get(name, name): vector_column(column) if column.ndim == 2 else arrow.array(column)
        for name, column in columns.items()
    }
    table = arrow.table(arrays, metadata={"format": "lamplighter", **{n: str(v) for n, v in facts.items()}})
    stream = ArrowStream(table.schema)
    for batch in table.to_batches(max_chunksize=_ROWS):
        yield stream.write(batch)
    yield stream.close()


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


_FLOATS = np.dtype(np.float32)


@dataclass(frozen=True)
class StreamedArray:
    """A float32 array of known shape, whose values come in blocks along its first axis."""

    name: str
    shape: tuple[int, ...]
    columns: dict[str, NDArray[Any]]
    """Small arrays that label it, such as its steps; a `.npy` file has no place for them."""
    facts: dict[str, str | int]
    run: str
    """The run's id, for the file name."""

    def length(self, form: ResponseFormat) -> int | None:
        """Return the total bytes in a format; None if they are not known in advance."""
        if form not in (NPY, SAFETENSORS):
            return None
        return len(self._head(form)) + _FLOATS.itemsize * prod(self.shape)

    def parts(self, form: ResponseFormat, blocks: Iterable[NDArray[np.float32]]) -> Iterable[bytes]:
        """Return the body in a format: `.npy`, safetensors or JSON."""
        if form is JSON:
            columns = {name: column.tolist() for name, column in self.columns.items()}
            return json_parts({**self.facts, **columns}, self.name, blocks)
        return self._binary(form, blocks)

    def _binary(self, form: ResponseFormat, blocks: Iterable[NDArray[np.float32]]) -> Iterator[bytes]:
        yield self._head(form)
        for block in blocks:
            yield block.tobytes()

    def _head(self, form: ResponseFormat) -> bytes:
        if form is NPY:
            return npy_header(_FLOATS, self.shape)
        tensors = {name: (column.dtype, column.shape) for name, column in self.columns.items()}
        metadata = {"format": "lamplighter", "run": self.run}
        metadata |= {name: str(value) for name, value in self.facts.items()}
        head = safetensors_header({**tensors, self.name: (_FLOATS, self.shape)}, metadata)
        return head + b"".join(column.tobytes() for column in self.columns.values())
