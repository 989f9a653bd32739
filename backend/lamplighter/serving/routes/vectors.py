"""Rows of the embedding over a range of steps, streamed while they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Query
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.contract.sentences import say
from lamplighter.exports.formats.tensor_files import ArrowStream, import_pyarrow, vector_column
from lamplighter.runfolder.errors import FormatError, NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import require_fit
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.reading.parameters import FORMAT, AttemptParam, FromStep, RunId, ToStep
from lamplighter.serving.reading.token_histories import StreamedArray
from lamplighter.serving.reading.token_table import TokenIds, parse_token_ids
from lamplighter.serving.schemas.vectors import Vectors
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.content_negotiation import ARROW, JSON, NPY, SAFETENSORS, ResponseFormat
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import (
    check_bytes,
    check_json_numbers,
    estimate_memory,
    streaming_cost,
)
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.web.http.step_range import StepRange, resolve_step_range

routes = Routes("snapshots")

OFFERED = (NPY, JSON, SAFETENSORS, ARROW)
MAX_BYTES = 512 << 20
MAX_STEPS = 100_000
_MANY_STEPS = 200
_FEW_TOKENS = 8
_FEW_STEPS = 1_000
"""Up to `_FEW_TOKENS` tokens, with at most `_FEW_STEPS` steps outside tiles, are read faster as single paths than as
full matrices."""
_BLOCK = 1 << 20


@dataclass(frozen=True)
class _VectorQuery:
    """The rows to return: the response's shape is (S, K, D)."""

    run: RunFolder
    span: StepRange
    steps: range
    ids: NDArray[np.int64]
    dim: int

    @property
    def numbers(self) -> int:
        return len(self.steps) * len(self.ids) * self.dim

    @property
    def array(self) -> StreamedArray:
        return StreamedArray(
            "vectors",
            (len(self.steps), len(self.ids), self.dim),
            {"steps": np.array(self.steps, dtype=np.int64), "token_ids": self.ids},
            {"attempt": self.span.attempt},
            self.run.id,
        )


@routes.get(
    "/api/runs/{run}/vectors",
    pool=Pool.DEAR,
    response_model=Vectors,
    answers=AnswerFacts(
        OFFERED, etag=True, errors=(503,), headers=("X-Lamplighter-Attempt", "X-Lamplighter-Exact")
    ),
)
def get_vectors(
    run: RunId,
    request: Request,
    services: ServicesDep,
    from_: FromStep = 0,
    to: ToStep = None,
    every: Annotated[
        int, Query(ge=1, le=0xFFFF_FFFF, description="Return every n-th step, starting at `from`.")
    ] = 1,
    token_ids: TokenIds = None,
    format: Annotated[Literal["npy", "json", "safetensors", "arrow"] | None, FORMAT] = None,
    attempt: AttemptParam = None,
) -> Response:
    """Return the rows of some tokens (or all) after steps `from`, `from` + `every`, ... up to `to`: shape (S, K, D).
    422 if `from` is after `to`, or if the response is too large; 404 if one of the steps was not kept exactly.
    """
    reply = services.reply(request, run, OFFERED, format)
    table = services.catalog.token_table(reply.run)
    ids = parse_token_ids(table, token_ids)
    with services.catalog.open_history(reply.run) as history:
        range_ = resolve_step_range(reply.run, history.steps, from_, to, attempt)
        if not len(range_):
            raise _empty_range_error(from_, to, range_.newest_step)
        steps = range(range_.first, range_.last + 1, every)
        wanted_ids = np.arange(len(table)) if ids is None else ids
        query = _VectorQuery(reply.run, range_, steps, wanted_ids, reply.run.recipe.model.dim)
        reply.tag("vectors", range_.lineage, every, token_ids, reply.form.name, immutable=range_.immutable)
        reply.add_facts(exact=True, attempt=range_.attempt)
        _check_size(query, reply.form)
        _check_exact(services, history, query)
    array = query.array
    cost = streaming_cost(4 * query.numbers, slow=len(steps) > _MANY_STEPS)

    def make() -> Iterable[bytes]:
        if reply.form is ARROW:
            return _arrow(services, query)
        return array.parts(reply.form, (block for _, block in _iterate_blocks(services, query)))

    return reply.send(estimate_memory(reply.run, cost), make, length=array.length(reply.form))


def _empty_range_error(first: int, last: int | None, newest: int) -> RefusedError:
    if last is not None and first > last:
        return RefusedError(422, f"from={first} is after to={last}: no step is in that range")
    return RefusedError(404, say("step_not_recorded", step=first, last=newest))


def _check_size(query: _VectorQuery, form: ResponseFormat) -> None:
    many = f"{len(query.steps):,} steps of {len(query.ids):,} tokens"
    less = "ask for fewer steps with from, to or every, or for fewer tokens with token_ids"
    if len(query.steps) > MAX_STEPS:
        raise RefusedError(422, f"{many} are too many, at most {MAX_STEPS:,} steps are sent at once: {less}")
    check_bytes(many, 4 * query.numbers, MAX_BYTES, less)
    check_json_numbers(form, query.numbers, f"{less}, or ask for format=npy", what=many)


def _check_exact(services: Services, history: MatrixHistory, query: _VectorQuery) -> None:
    exact = services.run_index.exact_steps(query.run, history, query.steps[-1])
    if len(query.ids) <= _FEW_TOKENS:
        exact = history.steps_of_rows(exact, query.ids.tolist(), query.steps[-1])
    wanted = np.array(query.steps, dtype=np.int64)
    missing = wanted[~np.isin(wanted, exact)]
    if len(missing):
        step = int(missing[0])
        before = int(np.searchsorted(exact, step)) - 1
        raise NoSnapshotError(step, int(exact[before]) if before >= 0 else None)


def _arrow(services: Services, query: _VectorQuery) -> Iterator[bytes]:
    arrow = import_pyarrow()
    columns = [
        ("step", arrow.int64()),
        ("attempt", arrow.int64()),
        ("token_id", arrow.int32()),
        ("vector", arrow.list_(arrow.float32(), query.dim)),
    ]
    return _batches(
        services, query, arrow.schema(columns, metadata={"format": "lamplighter", "run": query.run.id})
    )


def _batches(services: Services, query: _VectorQuery, schema: Any) -> Iterator[bytes]:
    arrow = import_pyarrow()
    stream = ArrowStream(schema)
    for steps, block in _iterate_blocks(services, query):
        attempts = [query.span.lineage.attempt_at(step) for step in steps]
        count = len(query.ids)
        columns = [
            arrow.array(np.repeat(np.array(steps, dtype=np.int64), count)),
            arrow.array(np.repeat(np.array(attempts, dtype=np.int64), count)),
            arrow.array(np.tile(query.ids, len(steps)), arrow.int32()),
            vector_column(block),
        ]
        yield stream.write(arrow.record_batch(columns, schema=schema))
    yield stream.close()


def _iterate_blocks(services: Services, query: _VectorQuery) -> Iterator[tuple[range, NDArray[np.float32]]]:
    """Yield the steps of each block, and their vectors, shape (steps, K, D)."""
    with services.catalog.open_history(query.run) as history:
        by_token = len(query.ids) <= _FEW_TOKENS and _count_outside_tiles(history, query.steps) <= _FEW_STEPS
        yield from (_blocks_by_token if by_token else _blocks_by_step)(history, query)


def _count_outside_tiles(history: MatrixHistory, steps: range) -> int:
    """Count the steps between the first and the last that are not in a tile; there a path is read step by step."""
    tiled = sum(
        max(0, min(stretch.last, steps[-1]) - max(stretch.first, steps[0]) + 1)
        for stretch in history.stretches()
    )
    return steps[-1] - steps[0] + 1 - tiled


def _blocks_by_step(
    history: MatrixHistory, query: _VectorQuery
) -> Iterator[tuple[range, NDArray[np.float32]]]:
    """Yield blocks from a matrix carried forward through the steps. A block is a megabyte, or one step."""
    size = max(1, _BLOCK // max(1, 4 * len(query.ids) * query.dim))
    start = 0
    block: list[NDArray[np.float32]] = []
    for snapshot in history.snapshots(query.steps.start, query.steps[-1], query.steps.step):
        query.span.require_attempt(snapshot.step, snapshot.attempt)
        require_fit(query.run, snapshot)
        block.append(snapshot.vectors[query.ids])
        if len(block) == size:
            yield query.steps[start : start + size], np.stack(block)
            start += size
            block = []
    if block:
        yield query.steps[start:], np.stack(block)


def _blocks_by_token(
    history: MatrixHistory, query: _VectorQuery
) -> Iterator[tuple[range, NDArray[np.float32]]]:
    """Yield blocks from each token's path, without a matrix. A block spans eight megabytes of a path, including the
    steps that `every` skips.
    """
    size = max(1, (8 * _BLOCK) // (4 * query.dim * query.steps.step))
    for start in range(0, len(query.steps), size):
        steps = query.steps[start : start + size]
        block = np.empty((len(steps), len(query.ids), query.dim), dtype=np.float32)
        for column, token_id in enumerate(query.ids.tolist()):
            path = history.token_history(token_id, steps[0], steps[-1])
            if path.vectors.shape[1] != query.dim:
                raise FormatError("its matrix does not match its recipe")
            block[:, column] = path.vectors[np.searchsorted(path.steps, np.array(steps))]
        query.span.require_current(history.steps)
        yield steps, block
