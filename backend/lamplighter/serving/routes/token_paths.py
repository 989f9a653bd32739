"""One token's history: its vectors, its motion, its gradient, its map positions, its distance to another token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Query
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.exports.formats.array_headers import npy_head
from lamplighter.exports.formats.token_rows import ArrowStream, pyarrow, vector_column
from lamplighter.exports.output import ExportError
from lamplighter.geometry.motion import Motion, motion
from lamplighter.runfolder.reading.gradient_history import gradient_path
from lamplighter.runfolder.reading.matrix_history import History
from lamplighter.runfolder.reading.snapshot import NoSnapshotError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.http.caching import Attempt, headers, span, tag, unchanged
from lamplighter.serving.http.content_negotiation import ARROW, JSON, NPY, Format, choose, described
from lamplighter.serving.http.problems import Fault, Refused
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.http.streaming import LARGE, answer, json_parts
from lamplighter.serving.pairs import Apart, apart
from lamplighter.serving.reading.downsampling import LEAST, keep_extremes
from lamplighter.serving.reading.run_index import FURTHEST
from lamplighter.serving.reading.token_ids import known
from lamplighter.serving.routes.layouts import MOST_LAYOUTS, MethodName, counting, fitting
from lamplighter.serving.routes.snapshots import JSON_NUMBERS
from lamplighter.serving.schemas.base import Step
from lamplighter.serving.schemas.vectors import (
    PathOfGradient,
    PathOfMotion,
    PathOfPair,
    PathOfPlaces,
    PathOfVectors,
)
from lamplighter.serving.services import AHouse, House
from lamplighter.wire.frames import Floats, Layout, decode_as

routes = Routes("tokens")

OFFERED = (JSON, NPY, ARROW)
MOST_BYTES = 128 << 20
_BLOCK_BYTES = 8 << 20
_MANY_STEPS = 2_000
_ROWS = 1_000

Columns = dict[str, NDArray[Any]]
"""Columns by name, each with N entries; a vector column has shape (N, D)."""


@routes.get(
    "/api/runs/{run}/tokens/{token_id}/path",
    response_model=PathOfVectors | PathOfMotion | PathOfPair | PathOfGradient | PathOfPlaces,
    responses=described(OFFERED),
)
def path(
    run: str,
    token_id: int,
    request: Request,
    house: AHouse,
    of: Literal["vectors", "motion", "places", "gradient", "pair"] = "vectors",
    from_: Annotated[Step, Query(alias="from")] = 0,
    to: Step | None = None,
    most: Annotated[int | None, Query(ge=LEAST, le=1_000_000)] = None,
    method: MethodName = "umap",
    with_: Annotated[int | None, Query(alias="with", ge=0, le=0xFFFF_FFFF)] = None,
    format: Annotated[Literal["json", "npy", "arrow"] | None, Query()] = None,
    attempt: Attempt = None,
) -> Response:
    """Return one token's history over the exactly kept steps `from` to `to`, inclusive; `of=places` covers the layouts
    of `method` instead, `of=gradient` the steps in which the token was lit. With `most`, return at most that many
    steps, the extremes among them. `of=pair` takes another token's id in `with`.
    """
    form = choose(request, OFFERED, format)
    found = house.library.find(run)
    table = house.library.tokens(found)
    known(table, token_id)
    if (of == "pair") != (with_ is not None):
        message = "of=pair needs another token: name its id with with=; nothing else takes one"
        raise Refused(422, message, [Fault(field="with", message=message)])
    if with_ is not None:
        known(table, with_)
    if of == "places":
        return _places(house, request, found, token_id, from_, to, most, method, form, attempt)
    if of == "gradient":
        return _gradient(house, request, found, token_id, from_, to, most, form, attempt)
    with house.library.history(found) as history:
        asked = span(found, history.steps, from_, to, attempt)
        exact = house.findings.exact_steps(found, history, max(0, asked.last))
    steps = exact[int(np.searchsorted(exact, from_)) :]
    if not len(steps):
        raise NoSnapshotError(from_, int(exact[-1]) if len(exact) else None)
    # A last step without a matrix may still get one later, for example when the run ends.
    lasting = asked.lasting and int(steps[-1]) == asked.last
    told = headers(
        tag(found, "path", token_id, of, asked.line, len(steps), most, form.name, with_), lasting=lasting
    )
    told["X-Lamplighter-Attempt"] = str(asked.attempt)
    if done := unchanged(request, told):
        return done
    dim = found.recipe.model.dim
    given = len(steps) if most is None else min(most, len(steps))
    numbers = given * (dim if of == "vectors" else 4)
    _check_size(numbers, form)

    def read() -> Columns:
        with house.library.history(found) as history:
            if with_ is not None:
                return _pair(history, token_id, with_, steps, dim, most)
            return (_vectors if of == "vectors" else _motion)(history, token_id, steps, dim, most)

    # A slow read counts as a large response.
    held = max(8 * numbers, LARGE if len(steps) > _MANY_STEPS else 0)
    facts = {"token_id": token_id} | ({} if with_ is None else {"with": with_})
    return answer(request, house.turnstile, _maker(read, facts, form), held, told, form.media_type)


def _gradient(
    house: House,
    request: Request,
    run: RunFolder,
    token_id: int,
    first: int,
    last: int | None,
    most: int | None,
    form: Format,
    attempt: int | None,
) -> Response:
    with house.library.steps(run) as reader:
        asked = span(run, reader, max(1, first), last, attempt)
    if len(asked) > FURTHEST:
        raise Refused(
            422,
            f"a token's gradient is looked for in at most {FURTHEST:,} steps at once: ask for fewer with from and to",
        )
    told = headers(tag(run, "path", token_id, "gradient", asked.line, most, form.name), lasting=asked.lasting)
    if done := unchanged(request, told):
        return done

    def read() -> Columns:
        with house.library.steps(run) as reader:
            found = gradient_path(reader, token_id, asked.first, asked.last)
            now = span(run, reader, asked.first, asked.last)
        if now.line != asked.line:
            raise Refused(409, "a new attempt began while this was read: ask again")
        columns: Columns = dict(zip(found._fields, found, strict=True))
        return _decimated(columns, [found.gradient], most)

    held = LARGE if len(asked) > _MANY_STEPS else 0
    return answer(
        request, house.turnstile, _maker(read, {"token_id": token_id}, form), held, told, form.media_type
    )


def _places(
    house: House,
    request: Request,
    run: RunFolder,
    token_id: int,
    first: int,
    last: int | None,
    most: int | None,
    method: MethodName,
    form: Format,
    attempt: int | None,
) -> Response:
    if attempt is not None:
        raise Refused(422, "more layouts may be made of old steps: ask for places without attempt")
    with counting(house, run) as drawn:
        entries = fitting(drawn, first, last, method)
    if not entries:
        raise Refused(
            404, f"there is no {method} layout of these steps yet: GET .../layouts lists what there is"
        )
    if len(entries) > MOST_LAYOUTS:
        raise Refused(
            422,
            f"{len(entries):,} layouts are too many, at most {MOST_LAYOUTS:,} are read at once: ask for fewer "
            "with from and to",
        )
    told = headers(
        tag(run, "path", token_id, "places", [(e.id, e.attempt, e.step) for e in entries], most, form.name),
        lasting=False,
    )
    if done := unchanged(request, told):
        return done

    def read() -> Columns:
        spots = np.empty((len(entries), 2), dtype=np.float32)
        with counting(house, run) as drawn:
            for at, entry in enumerate(entries):
                spots[at] = decode_as(drawn.record(entry), Layout).coordinates[token_id]
        columns: Columns = {
            "steps": np.array([entry.step for entry in entries], dtype=np.int64),
            "x": spots[:, 0],
            "y": spots[:, 1],
        }
        return _decimated(columns, [spots[:, 0], spots[:, 1]], most)

    held = LARGE if 4 * len(entries) * len(run.vocabulary) >= LARGE else 0
    facts = {"token_id": token_id, "method": method}
    return answer(request, house.turnstile, _maker(read, facts, form), held, told, form.media_type)


def _check_size(numbers: int, form: Format) -> None:
    if 4 * numbers > MOST_BYTES:
        raise Refused(
            422,
            f"that many steps are {4 * numbers / 1e6:,.0f} MB, at most {MOST_BYTES / 1e6:,.0f} come at once: ask for "
            "fewer with from, to or most",
        )
    if form is JSON and numbers > JSON_NUMBERS:
        raise Refused(
            422,
            f"{numbers:,} numbers are too many for JSON, at most {JSON_NUMBERS:,}: ask for fewer steps with from, "
            "to or most, or for format=npy",
        )


def _vectors(
    history: History, token_id: int, steps: NDArray[np.int64], dim: int, most: int | None
) -> Columns:
    """Return every vector, or, after a first pass, those with an extreme length or displacement."""
    if most is None or len(steps) <= most:
        through = history.path(token_id, int(steps[0]), int(steps[-1]))
        return {"steps": through.steps, "vectors": through.vectors}
    moved = _motion(history, token_id, steps, dim, None)
    wanted = moved["steps"][keep_extremes([moved["length"], moved["displacement"]], most)]
    picked = [(of, rows[np.isin(of, wanted)]) for of, rows in _walk(history, token_id, steps, dim)]
    return {
        "steps": np.concatenate([of[np.isin(of, wanted)] for of, _ in picked]),
        "vectors": np.concatenate([rows for _, rows in picked]),
    }


def _motion(history: History, token_id: int, steps: NDArray[np.int64], dim: int, most: int | None) -> Columns:
    """Return the motion at each step; memory holds five numbers a step, not the vectors."""
    told: list[NDArray[np.int64]] = []
    parts: list[Motion] = []
    start: NDArray[np.float64] | None = None
    before: NDArray[np.float64] | None = None
    for of, vectors in _walk(history, token_id, steps, dim):
        parts.append(motion(vectors, start, before))
        told.append(of)
        start = vectors[0].astype(np.float64) if start is None else start
        before = vectors[-1].astype(np.float64)
    series = [np.concatenate(of) for of in zip(*parts, strict=True)]
    columns: Columns = {"steps": np.concatenate(told), **dict(zip(Motion._fields, series, strict=True))}
    return _decimated(columns, series, most)


def _pair(
    history: History, token_id: int, other: int, steps: NDArray[np.int64], dim: int, most: int | None
) -> Columns:
    """Return distance and cosine at each step; memory holds these two numbers a step, not the vectors."""
    told: list[NDArray[np.int64]] = []
    parts: list[Apart] = []
    walks = (_walk(history, one, steps, dim) for one in (token_id, other))
    for (of, here), (_, there) in zip(*walks, strict=True):
        parts.append(apart(here, there))
        told.append(of)
    series = [np.concatenate(of) for of in zip(*parts, strict=True)]
    columns: Columns = {"steps": np.concatenate(told), **dict(zip(Apart._fields, series, strict=True))}
    return _decimated(columns, series, most)


def _walk(
    history: History, token_id: int, steps: NDArray[np.int64], dim: int
) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """Yield a token's vectors at ascending kept steps, block by block, so that memory is bounded by one block."""
    size = max(1, _BLOCK_BYTES // (4 * dim))
    for at in range(0, len(steps), size):
        through = history.path(token_id, int(steps[at]), int(steps[at : at + size][-1]))
        yield through.steps, through.vectors


def _decimated(columns: Columns, series: list[NDArray[Any]], most: int | None) -> Columns:
    if most is None:
        return columns
    kept = keep_extremes(series, most)
    return {name: column[kept] for name, column in columns.items()}


def _maker(read: Callable[[], Columns], facts: dict[str, Any], form: Format) -> Callable[[], Iterator[bytes]]:
    def make() -> Iterator[bytes]:
        if form is NPY:
            return _npy(read())
        if form is ARROW:
            try:
                pyarrow()
            except ExportError as error:
                raise Refused(501, str(error)) from error
            return _arrow(read(), facts)
        columns = read()
        *others, (name, last) = columns.items()
        told = {**facts, **{label: column.tolist() for label, column in others}}
        return json_parts(told, name, (last[at : at + _ROWS] for at in range(0, len(last), _ROWS)))

    return make


def _npy(columns: Columns) -> Iterator[bytes]:
    """Yield an `.npy` file with one record a step, so that the file holds the steps too."""
    names = {"steps": "step", "vectors": "vector"}
    size = len(columns["steps"])
    dtype = np.dtype([(names.get(n, n), c.dtype, c.shape[1:]) for n, c in columns.items()])
    yield npy_head(dtype, (size,))
    for at in range(0, size, _ROWS):
        records = np.empty(min(_ROWS, size - at), dtype=dtype)
        for name, column in columns.items():
            records[names.get(name, name)] = column[at : at + _ROWS]
        yield records.tobytes()


def _arrow(columns: Columns, facts: dict[str, Any]) -> Iterator[bytes]:
    arrow = pyarrow()
    names = {"steps": "step", "vectors": "vector"}
    made = {
        names.get(name, name): vector_column(column) if column.ndim == 2 else arrow.array(column)
        for name, column in columns.items()
    }
    table = arrow.table(made, metadata={"format": "lamplighter", **{n: str(v) for n, v in facts.items()}})
    stream = ArrowStream(table.schema)
    for batch in table.to_batches(max_chunksize=_ROWS):
        yield stream.write(batch)
    yield stream.close()
