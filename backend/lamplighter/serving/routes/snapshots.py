"""Snapshots: the embedding at a step, the lists of keyframes, exact steps and waypoints, and lengths of rows and of their
way between two steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal
from urllib.parse import quote

import numpy as np
from fastapi import Query
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.exports.formats.tensor_files import TokenRows, as_npy, as_parquet, as_safetensors, npy_header
from lamplighter.geometry.motion import displacements, farthest_rows
from lamplighter.geometry.neighbours import row_lengths
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.output_matrix import (
    OutputPoint,
    choose_map_points,
    explain_no_output_map,
    find_output_point,
    has_tied_weights,
    list_output_points,
)
from lamplighter.runfolder.reading.snapshot import Snapshot, nearest_kept
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.reading.layout_query import set_time
from lamplighter.serving.reading.parameters import (
    FORMAT,
    AttemptParam,
    FromStep,
    KeptStep,
    MatrixChoice,
    RunId,
    StepPath,
    ToStep,
)
from lamplighter.serving.reading.token_table import TokenIds, parse_token_ids
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.vectors import (
    Displacement,
    Displacements,
    Keyframe,
    Keyframes,
    Norms,
    Waypoint,
    Waypoints,
)
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.content_negotiation import FRAME, JSON, NPY, PARQUET, SAFETENSORS, ResponseFormat
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.reply import Reply
from lamplighter.web.http.response_cost import (
    LIST_ENTRY_BYTES,
    check_json_numbers,
    estimate_memory,
    pass_cost,
    record_steps,
)
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.web.http.step_range import StepRange, resolve_step_range
from lamplighter.wire.frames import encode
from lamplighter.wire.row_frames import Rows

routes = Routes("snapshots")

OFFERED = (FRAME, NPY, SAFETENSORS, PARQUET)
_STEP_BYTES = 24
"""Bytes of memory per step during the search for steps whose matrix can be rebuilt."""


@routes.get(
    "/api/runs/{run}/snapshots",
    pool=Pool.DEAR,
    response_model=Keyframes,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def list_keyframes(
    run: RunId,
    request: Request,
    services: ServicesDep,
    from_: FromStep = 0,
    to: ToStep = None,
    limit: Annotated[
        int, Query(ge=1, le=10_000, description="Maximum number of keyframes to return; `next` has the rest.")
    ] = 1_000,
) -> Response:
    """Return the keyframes of steps `from` to `to`, inclusive, and whether every step in that range rebuilds bit for
    bit.
    """
    reply = services.reply(request, run)
    with services.catalog.open_history(reply.run) as history:
        range_ = resolve_step_range(reply.run, history.steps, from_, to)
        frames = history.steps.keyframe_steps()
        reply.tag("snapshots", range_.lineage, to, limit, frames[-1:], len(frames), immutable=False)

    def make() -> list[bytes]:
        first = max(range_.first, frames[0][1]) if frames else range_.first
        last = max(range_.last, 0)
        with services.catalog.open_history(reply.run) as history:
            exact = services.run_index.exact_steps(reply.run, history, last)
        exact = exact[int(np.searchsorted(exact, first)) :]
        listed = [(attempt, step) for attempt, step in frames if first <= step <= last]
        next_url, end = None, last
        if len(listed) > limit:
            end = listed[limit][1] - 1
            rest = f"from={end + 1}&limit={limit}" + ("" if to is None else f"&to={to}")
            next_url = f"/api/runs/{quote(reply.run.id, safe='')}/snapshots?{rest}"
        return json_body(
            Keyframes(
                items=[Keyframe(attempt=attempt, step=step) for attempt, step in listed[:limit]],
                exact=0 < len(exact) == last - first + 1,
                stretches=_consecutive_ranges(exact[: int(np.searchsorted(exact, end, side="right"))]),
                from_=first,
                to=last,
                next=next_url,
            )
        )

    return reply.send(_STEP_BYTES * record_steps(reply.run, range_.newest_step), make)


@routes.get(
    "/api/runs/{run}/snapshots/{step}",
    pool=Pool.DEAR,
    answers=AnswerFacts(
        OFFERED,
        etag=True,
        errors=(503,),
        headers=("X-Lamplighter-Step", "X-Lamplighter-Attempt", "X-Lamplighter-Exact"),
    ),
)
def get_snapshot(
    run: RunId,
    step: StepPath,
    request: Request,
    services: ServicesDep,
    format: Annotated[Literal["frame", "npy", "safetensors", "parquet"] | None, FORMAT] = None,
    token_ids: TokenIds = None,
    attempt: AttemptParam = None,
    which: MatrixChoice = "in",
) -> Response:
    """Return the matrix after a step, or some of its rows, in the format of `format` or `Accept`; by default as a rows
    frame of `docs/wire.md`. `parquet` also describes the tokens. `matrix=out` returns the output matrix at the newest
    waypoint at or before the step; the headers name that step.
    """
    reply = services.reply(request, run, OFFERED, format)
    ids = parse_token_ids(services.catalog.token_table(reply.run), token_ids)
    with services.catalog.open_history(reply.run) as history:
        range_ = resolve_step_range(reply.run, history.steps, step, step, attempt)
        point = find_output_point(reply.run, history.steps, step) if which == "out" else None
    if point:
        reply.tag("output", point.attempt, point.step, step, reply.form.name, token_ids, immutable=False)
        reply.add_facts(exact=point.step == step, step=point.step, attempt=point.attempt)
    else:
        reply.tag("snapshot", range_.attempt, step, reply.form.name, token_ids, immutable=range_.immutable)
        reply.add_facts(exact=True, step=step, attempt=range_.attempt)
    if reply.head_only and not point:
        _check_kept(services, reply.run, step)
    numbers = (len(reply.run.vocabulary) if ids is None else len(ids)) * reply.run.recipe.model.dim
    cost = estimate_memory(reply.run, 4 * numbers)
    return reply.send(cost, lambda: _body(services, reply, range_, point, ids))


@routes.get("/api/runs/{run}/waypoints", pool=Pool.CHEAP, polled=True, response_model=Waypoints)
def list_waypoints(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the steps whose output matrix is kept: waypoints and the last checkpoints."""
    reply = services.reply(request, run)
    with services.catalog.open_steps(reply.run) as reader:
        points = list_output_points(reply.run, reader)
    mapped = choose_map_points(reply.run, points)

    def make() -> list[bytes]:
        return json_body(
            Waypoints(
                items=[Waypoint(attempt=point.attempt, step=point.step) for point in points],
                tied=has_tied_weights(reply.run),
                last_map_step=mapped[-1].step if mapped else None,
                map_time=set_time(reply.run, "output"),
                no_map=explain_no_output_map(reply.run, points),
            )
        )

    return reply.send(LIST_ENTRY_BYTES * len(points), make)


def _consecutive_ranges(steps: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the stretches of consecutive numbers in ascending `steps`, as (first, last)."""
    ends = np.flatnonzero(np.diff(steps) != 1)
    firsts = [0, *(ends + 1).tolist()] if len(steps) else []
    lasts = [*ends.tolist(), len(steps) - 1] if len(steps) else []
    return [(int(steps[low]), int(steps[high])) for low, high in zip(firsts, lasts, strict=True)]


def _check_kept(services: Services, run: RunFolder, step: int) -> None:
    with services.catalog.open_history(run) as history:
        exact = services.run_index.exact_steps(run, history, step)
    newest = int(exact[-1]) if len(exact) else None
    if newest != step:
        raise NoSnapshotError(step, newest)


def _body(
    services: Services,
    reply: Reply,
    range_: StepRange,
    point: OutputPoint | None,
    ids: NDArray[np.int64] | None,
) -> Iterable[bytes]:
    with services.catalog.open_history(reply.run) as history:
        if point is None:
            matrix = services.catalog.exact_matrix(reply.run, history, range_, range_.first)
        else:
            matrix = services.catalog.nearest_matrix(reply.run, history, point.step, "out")
            if matrix.step != point.step:
                # The headers name the other one.
                raise RefusedError(404, f"the waypoint of step {point.step} was just removed: ask again")
    return _parts(reply.run, matrix, ids, reply.form)


def _parts(
    run: RunFolder, matrix: Snapshot, ids: NDArray[np.int64] | None, form: ResponseFormat
) -> Iterable[bytes]:
    size = len(matrix.vectors)
    if form is FRAME:
        if ids is None:
            return [matrix.encode_frame()]
        # A frame's rows are sorted by id, not in the order of the request.
        rows = np.sort(ids).astype(np.uint32)
        return [encode(Rows(matrix.attempt, matrix.step, matrix.time, size, rows, matrix.vectors[rows]))]
    facts = {
        "format": "lamplighter",
        "run": run.id,
        "attempt": str(matrix.attempt),
        "step": str(matrix.step),
    }
    vectors = np.ascontiguousarray(matrix.vectors if ids is None else matrix.vectors[ids])
    rows = TokenRows(facts, run.vocabulary, np.arange(size) if ids is None else ids, vectors)
    if form is NPY:
        return as_npy(rows)
    if form is SAFETENSORS:
        return as_safetensors(rows)
    return [as_parquet(rows)]


DISTANCE_FORMATS = (JSON, NPY)
_SMALL_MATRIX = 1 << 20


@routes.get(
    "/api/runs/{run}/displacements",
    pool=Pool.DEAR,
    response_model=Displacements,
    answers=AnswerFacts(
        DISTANCE_FORMATS,
        etag=True,
        errors=(503,),
        headers=("X-Lamplighter-From", "X-Lamplighter-Step", "X-Lamplighter-Attempt", "X-Lamplighter-Exact"),
    ),
)
def get_displacements(
    run: RunId,
    request: Request,
    services: ServicesDep,
    from_: FromStep = 0,
    to: ToStep = None,
    nearest: Annotated[
        bool, Query(description="Use the nearest kept step at or before each of the two.")
    ] = False,
    most: Annotated[int, Query(ge=1, le=10_000, description="Maximum number of rows to list, as JSON.")] = 20,
    format: Annotated[Literal["json", "npy"] | None, FORMAT] = None,
    attempt: AttemptParam = None,
) -> Response:
    """Return each row's Euclidean distance between the matrices after two exactly kept steps. With `nearest`, use the
    nearest such step at or before each of the two. 422 if `from` is after `to`.
    """
    reply = services.reply(request, run, DISTANCE_FORMATS, format)
    with services.catalog.open_history(reply.run) as history:
        range_ = resolve_step_range(reply.run, history.steps, from_, to, attempt)
        if to is not None and from_ > to:
            raise RefusedError(422, f"from={from_} is after to={to}: a row moves forward in time")
        first, last = _resolve_steps(
            services, reply.run, history, from_, to, range_.newest_step, nearest=nearest
        )
        # With `nearest` the steps compared may differ from the ones requested.
        range_ = resolve_step_range(reply.run, history.steps, first, last)
    # The nearest kept step can change later; an exactly requested step cannot.
    lasting = attempt is not None and not nearest
    reply.tag("displacements", range_.lineage, first, last, most, reply.form.name, immutable=lasting)
    reply.add_facts(from_=first, step=last, attempt=range_.attempt, exact=True)
    matrix = 4 * len(reply.run.vocabulary) * reply.run.recipe.model.dim
    cost = estimate_memory(reply.run, 2 * matrix if matrix > _SMALL_MATRIX else 0)
    return reply.send(cost, lambda: _measure_distances(services, reply, range_, most))


def _resolve_steps(
    services: Services,
    run: RunFolder,
    history: MatrixHistory,
    first: int,
    last: int | None,
    newest: int,
    *,
    nearest: bool,
) -> tuple[int, int]:
    """Return the two steps, both kept exactly; without `last`, the second is the newest exact step.

    Raises:
        NoSnapshotError: one of them was not kept exactly, or has not happened yet.
    """
    exact = services.run_index.exact_steps(run, history, newest)

    def kept(step: int) -> int:
        before = nearest_kept(exact, step)
        if before is None or (before != step and not nearest):
            raise NoSnapshotError(step, before)
        return before

    end = int(exact[-1]) if last is None and len(exact) else kept(newest if last is None else last)
    start = kept(first)
    if start > end:
        raise NoSnapshotError(first, end)
    return start, end


def _measure_distances(services: Services, reply: Reply, range_: StepRange, most: int) -> list[bytes]:
    """Return the distances between the first and the last step of a range, which may be equal."""
    with services.catalog.open_history(reply.run) as history:
        before, after = (
            services.catalog.exact_matrix(reply.run, history, range_, step)
            for step in (range_.first, range_.last)
        )
    distances = displacements(before.vectors, after.vectors)
    if reply.form is NPY:
        return [npy_header(distances.dtype, distances.shape), distances.tobytes()]
    table = services.catalog.token_table(reply.run)
    items = [
        Displacement(
            token_id=token_id,
            token=table.text(token_id),
            class_=table.class_name(token_id),
            distance=float(distances[token_id]),
        )
        for token_id in farthest_rows(distances, most).tolist()
    ]
    return json_body(
        Displacements(
            attempt=range_.attempt,
            from_=range_.first,
            to=range_.last,
            rows=len(distances),
            moved=int((distances > 0).sum()),
            items=items,
        )
    )


NORM_FORMATS = (NPY, JSON)


@routes.get(
    "/api/runs/{run}/norms",
    pool=Pool.DEAR,
    response_model=Norms,
    answers=AnswerFacts(
        NORM_FORMATS,
        etag=True,
        headers=("X-Lamplighter-Step", "X-Lamplighter-Attempt", "X-Lamplighter-Exact"),
    ),
)
def get_norms(
    run: RunId,
    request: Request,
    services: ServicesDep,
    step: KeptStep = None,
    format: Annotated[Literal["npy", "json"] | None, FORMAT] = None,
    which: MatrixChoice = "in",
) -> Response:
    """Return every row's Euclidean norm, by token id, after the newest exactly kept step at or before `step` (by
    default, the newest of all). `matrix=out` measures rows of the output matrix.
    """
    reply = services.reply(request, run, NORM_FORMATS, format)
    with services.catalog.open_history(reply.run) as history:
        matrix = services.catalog.nearest_rows_at(reply.run, history, step, which)
    exact = step is None or matrix.step == step
    reply.tag("norms", which, matrix.attempt, matrix.step, exact, reply.form.name, immutable=False)
    reply.add_facts(step=matrix.step, attempt=matrix.attempt, exact=exact)
    check_json_numbers(reply.form, len(matrix.vectors), "ask for format=npy")

    def make() -> list[bytes]:
        lengths = row_lengths(matrix.vectors).astype("float32")
        if reply.form is NPY:
            return [npy_header(lengths.dtype, lengths.shape), lengths.tobytes()]
        return json_body(Norms(attempt=matrix.attempt, step=matrix.step, exact=exact, norms=lengths.tolist()))

    return reply.send(pass_cost(reply.run, 4 * len(matrix.vectors)), make)
