"""Lengths: of each row of the embedding, and of its way between two steps."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.exports.formats.tensor_files import npy_header
from lamplighter.geometry.motion import displacements, farthest_rows
from lamplighter.geometry.neighbours import row_lengths
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import nearest_kept
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.reading.parameters import (
    FORMAT,
    AttemptParam,
    FromStep,
    KeptStep,
    MatrixChoice,
    RunId,
    ToStep,
)
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.vectors import Displacement, Displacements, Norms
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.content_negotiation import JSON, NPY
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.reply import Reply
from lamplighter.web.http.response_cost import check_json_numbers, estimate_memory, pass_cost
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.web.http.step_range import StepRange, resolve_step_range

routes = Routes("snapshots")

OFFERED = (JSON, NPY)
_SMALL_MATRIX = 1 << 20


@routes.get(
    "/api/runs/{run}/displacements",
    pool=Pool.DEAR,
    response_model=Displacements,
    answers=AnswerFacts(
        OFFERED,
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
    reply = services.reply(request, run, OFFERED, format)
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
    return reply.send(cost, lambda: _body(services, reply, range_, most))


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


def _body(services: Services, reply: Reply, range_: StepRange, most: int) -> list[bytes]:
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
