"""Rows of the embedding over a range of steps, streamed as they are read and never whole in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Query
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.exports.formats.array_headers import npy_head, safetensors_head
from lamplighter.exports.formats.token_rows import ArrowStream, pyarrow, vector_column
from lamplighter.exports.output import ExportError
from lamplighter.runfolder.lineage import attempt_at
from lamplighter.runfolder.reading.matrix_history import History
from lamplighter.runfolder.reading.snapshot import NoSnapshotError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.sqlite.database import FormatError
from lamplighter.serving.http.caching import Attempt, Span, clipped, headers, span, tag, unchanged
from lamplighter.serving.http.content_negotiation import (
    ARROW,
    JSON,
    NPY,
    SAFETENSORS,
    Format,
    choose,
    described,
)
from lamplighter.serving.http.problems import Refused
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.http.streaming import LARGE, answer, json_parts
from lamplighter.serving.reading.token_ids import TokenIds, chosen
from lamplighter.serving.routes.snapshots import JSON_NUMBERS, cost
from lamplighter.serving.schemas.base import Step
from lamplighter.serving.schemas.vectors import Vectors
from lamplighter.serving.services import AHouse, House

routes = Routes("snapshots")

OFFERED = (NPY, JSON, SAFETENSORS, ARROW)
MOST_BYTES = 512 << 20
MOST_STEPS = 100_000
_MANY_STEPS = 200
_FEW_TOKENS = 8
_FEW_STEPS = 1_000
"""Up to `_FEW_TOKENS` tokens, with at most `_FEW_STEPS` steps outside tiles, are read faster as single paths than
as whole matrices."""
_BLOCK = 1 << 20
_FLOATS = np.dtype(np.float32)


@dataclass(frozen=True)
class _Asked:
    """The rows to return: the response's shape is (S, K, D)."""

    run: RunFolder
    span: Span
    steps: range
    ids: NDArray[np.int64]
    dim: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.steps), len(self.ids), self.dim

    @property
    def numbers(self) -> int:
        return len(self.steps) * len(self.ids) * self.dim


@routes.get("/api/runs/{run}/vectors", response_model=Vectors, responses=described(OFFERED))
def vectors(
    run: str,
    request: Request,
    house: AHouse,
    from_: Annotated[Step, Query(alias="from")] = 0,
    to: Step | None = None,
    every: Annotated[int, Query(ge=1, le=0xFFFF_FFFF)] = 1,
    token_ids: TokenIds = None,
    format: Annotated[Literal["npy", "json", "safetensors", "arrow"] | None, Query()] = None,
    attempt: Attempt = None,
) -> Response:
    """Return the rows of some tokens (or all) after steps `from`, `from` + `every`, ... up to `to`: shape (S, K, D)."""
    form = choose(request, OFFERED, format)
    found = house.library.find(run)
    table = house.library.tokens(found)
    ids = chosen(table, token_ids)
    with house.library.history(found) as history:
        range_ = span(found, history.steps, from_, to, attempt)
        if not len(range_):
            raise _nothing(from_, to, range_.newest)
        steps = range(range_.first, range_.last + 1, every)
        everything = np.arange(len(table)) if ids is None else ids
        asked = _Asked(found, range_, steps, everything, found.recipe.model.dim)
        told = headers(
            tag(found, "vectors", range_.line, every, token_ids, form.name), lasting=range_.lasting
        )
        told |= {"X-Lamplighter-Exact": "true", "X-Lamplighter-Attempt": str(range_.attempt)}
        if done := unchanged(request, told):
            return done
        _check_size(asked, form)
        _check_exact(house, history, asked)
    size = 4 * asked.numbers
    head = _head(asked, form)
    length = len(head) + size if form in (NPY, SAFETENSORS) else None
    # Streamed, so the size beyond `LARGE` does not matter; a slow read counts as a large response.
    held = LARGE if size >= LARGE or len(steps) > _MANY_STEPS else size
    make = _maker(house, asked, form, head)
    return answer(request, house.turnstile, make, cost(found, held), told, form.media_type, length=length)


def _nothing(first: int, last: int | None, newest: int) -> Refused:
    if last is not None and first > last:
        return Refused(422, f"from={first} is after to={last}: no step is in that range")
    return Refused(404, f"step {first} is not recorded; the last is {newest}")


def _check_size(asked: _Asked, form: Format) -> None:
    many = f"{len(asked.steps):,} steps of {len(asked.ids):,} tokens"
    less = "ask for fewer steps with from, to or every, or for fewer tokens with token_ids"
    if len(asked.steps) > MOST_STEPS:
        raise Refused(422, f"{many} are too many, at most {MOST_STEPS:,} steps come at once: {less}")
    if 4 * asked.numbers > MOST_BYTES:
        raise Refused(
            422,
            f"{many} are {4 * asked.numbers / 1e6:,.0f} MB, at most {MOST_BYTES / 1e6:,.0f} come at once: {less}",
        )
    if form is JSON and asked.numbers > JSON_NUMBERS:
        raise Refused(
            422,
            f"{many} are {asked.numbers:,} numbers, too many for JSON, at most {JSON_NUMBERS:,}: {less}, "
            "or ask for format=npy",
        )


def _check_exact(house: House, history: History, asked: _Asked) -> None:
    exact = house.findings.exact_steps(asked.run, history, asked.steps[-1])
    wanted = np.array(asked.steps, dtype=np.int64)
    missing = wanted[~np.isin(wanted, exact)]
    if len(missing):
        step = int(missing[0])
        before = int(np.searchsorted(exact, step)) - 1
        raise NoSnapshotError(step, int(exact[before]) if before >= 0 else None)


def _maker(house: House, asked: _Asked, form: Format, head: bytes) -> Callable[[], Iterable[bytes]]:
    def make() -> Iterable[bytes]:
        if form is ARROW:
            try:
                return _arrow(house, asked)
            except ExportError as error:
                raise Refused(501, str(error)) from error
        if form is JSON:
            return json_parts(
                {
                    "attempt": asked.span.attempt,
                    "steps": list(asked.steps),
                    "token_ids": asked.ids.tolist(),
                },
                "vectors",
                (block for _, block in _blocks(house, asked)),
            )
        return _binary(house, asked, head)

    return make


def _head(asked: _Asked, form: Format) -> bytes:
    if form is NPY:
        return npy_head(_FLOATS, asked.shape)
    if form is not SAFETENSORS:
        return b""
    steps = np.array(asked.steps, dtype=np.int64)
    tensors = {
        "steps": (steps.dtype, steps.shape),
        "token_ids": (asked.ids.dtype, asked.ids.shape),
        "vectors": (_FLOATS, asked.shape),
    }
    said = {"format": "lamplighter", "run": asked.run.id, "attempt": str(asked.span.attempt)}
    return safetensors_head(tensors, said) + steps.tobytes() + asked.ids.tobytes()


def _binary(house: House, asked: _Asked, head: bytes) -> Iterator[bytes]:
    yield head
    for _, block in _blocks(house, asked):
        yield block.tobytes()


def _arrow(house: House, asked: _Asked) -> Iterator[bytes]:
    arrow = pyarrow()
    columns = [
        ("step", arrow.int64()),
        ("attempt", arrow.int64()),
        ("token_id", arrow.int32()),
        ("vector", arrow.list_(arrow.float32(), asked.dim)),
    ]
    return _batches(
        house, asked, arrow.schema(columns, metadata={"format": "lamplighter", "run": asked.run.id})
    )


def _batches(house: House, asked: _Asked, schema: Any) -> Iterator[bytes]:
    arrow = pyarrow()
    stream = ArrowStream(schema)
    for steps, block in _blocks(house, asked):
        attempts = [attempt_at(asked.span.line, step) for step in steps]
        count = len(asked.ids)
        columns = [
            arrow.array(np.repeat(np.array(steps, dtype=np.int64), count)),
            arrow.array(np.repeat(np.array(attempts, dtype=np.int64), count)),
            arrow.array(np.tile(asked.ids, len(steps)), arrow.int32()),
            vector_column(block),
        ]
        yield stream.write(arrow.record_batch(columns, schema=schema))
    yield stream.close()


def _blocks(house: House, asked: _Asked) -> Iterator[tuple[range, NDArray[np.float32]]]:
    """Yield the steps of each block, and their vectors, shape (steps, K, D)."""
    with house.library.history(asked.run) as history:
        few = len(asked.ids) <= _FEW_TOKENS and _outside_tiles(history, asked.steps) <= _FEW_STEPS
        yield from (_by_token if few else _by_step)(history, asked)


def _outside_tiles(history: History, steps: range) -> int:
    """Count the steps between the first and the last that are in no tile; there a path is read step by step."""
    tiled = sum(
        max(0, min(stretch.last, steps[-1]) - max(stretch.first, steps[0]) + 1)
        for stretch in history.stretches()
    )
    return steps[-1] - steps[0] + 1 - tiled


def _by_step(history: History, asked: _Asked) -> Iterator[tuple[range, NDArray[np.float32]]]:
    """Yield blocks from a matrix carried forward through the steps; a block is a megabyte, or one step."""
    size = max(1, _BLOCK // max(1, 4 * len(asked.ids) * asked.dim))
    at = 0
    block: list[NDArray[np.float32]] = []
    for snapshot in history.snapshots(asked.steps.start, asked.steps[-1], asked.steps.step):
        if snapshot.attempt != attempt_at(asked.span.line, snapshot.step):
            raise _superseded(snapshot.step)
        if snapshot.vectors.shape != (len(asked.run.vocabulary), asked.dim):
            raise FormatError("its matrix does not fit its vocabulary and its recipe")
        block.append(snapshot.vectors[asked.ids])
        if len(block) == size:
            yield asked.steps[at : at + size], np.stack(block)
            at += size
            block = []
    if block:
        yield asked.steps[at:], np.stack(block)


def _by_token(history: History, asked: _Asked) -> Iterator[tuple[range, NDArray[np.float32]]]:
    """Yield blocks from each token's path, without a matrix; a block spans eight megabytes of a path, counting the
    steps that `every` skips.
    """
    size = max(1, (8 * _BLOCK) // (4 * asked.dim * asked.steps.step))
    for at in range(0, len(asked.steps), size):
        steps = asked.steps[at : at + size]
        block = np.empty((len(steps), len(asked.ids), asked.dim), dtype=np.float32)
        for column, token_id in enumerate(asked.ids.tolist()):
            path = history.path(token_id, steps[0], steps[-1])
            if path.vectors.shape[1] != asked.dim:
                raise FormatError("its matrix does not fit its recipe")
            block[:, column] = path.vectors[np.searchsorted(path.steps, np.array(steps))]
        if clipped(history.steps.line(), steps[0], steps[-1]) != clipped(
            asked.span.line, steps[0], steps[-1]
        ):
            raise _superseded(steps[-1])
        yield steps, block


def _superseded(step: int) -> RuntimeError:
    return RuntimeError(f"step {step} was superseded while it was being sent")
