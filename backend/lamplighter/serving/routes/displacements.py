"""Displacements: how far each row of the embedding moved between two steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.exports.formats.array_headers import npy_header
from lamplighter.geometry.displacements import displacements, farthest_rows
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import NoSnapshotError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.http.caching import cache_headers, entity_tag, not_modified
from lamplighter.serving.http.content_negotiation import (
    JSON,
    NPY,
    ResponseFormat,
    negotiate_format,
)
from lamplighter.serving.http.problems import RefusedError
from lamplighter.serving.http.response_cost import estimate_memory
from lamplighter.serving.http.route_table import AnswerFacts, Routes
from lamplighter.serving.http.step_range import StepRange, resolve_step_range
from lamplighter.serving.http.streaming import respond
from lamplighter.serving.reading.parameters import FORMAT, AttemptParam, FromStep, RunId, ToStep
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.vectors import Displacement, Displacements
from lamplighter.serving.services import Services, ServicesDep

routes = Routes("snapshots")

OFFERED = (JSON, NPY)
_SMALL_MATRIX = 1 << 20


@dataclass(frozen=True)
class _DisplacementQuery:
    run: RunFolder
    span: StepRange
    first: int
    last: int
    most: int


@routes.get(
    "/api/runs/{run}/displacements",
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
        bool, Query(description="Take the nearest kept step at or before each of the two.")
    ] = False,
    most: Annotated[int, Query(ge=1, le=10_000, description="The most rows to list, as JSON.")] = 20,
    format: Annotated[Literal["json", "npy"] | None, FORMAT] = None,
    attempt: AttemptParam = None,
) -> Response:
    """Return each row's Euclidean distance between the matrices after two exactly kept steps. With `nearest`, use the
    nearest such step at or before each of the two. 422 if `from` is after `to`.
    """
    form = negotiate_format(request, OFFERED, format)
    run_folder = services.catalog.find_run(run)
    with services.catalog.open_history(run_folder) as history:
        range_ = resolve_step_range(run_folder, history.steps, from_, to, attempt)
        if to is not None and from_ > to:
            raise RefusedError(422, f"from={from_} is after to={to}: a row's way goes forward in time")
        first, last = _resolve_steps(
            services, run_folder, history, from_, to, range_.newest_step, nearest=nearest
        )
        # With `nearest` the steps compared may differ from the ones requested.
        range_ = resolve_step_range(run_folder, history.steps, first, last)
    # The nearest kept step can change later; a step requested exactly cannot.
    lasting = attempt is not None and not nearest
    response_headers = cache_headers(
        entity_tag(run_folder, "displacements", range_.lineage, first, last, most, form.name),
        immutable=lasting,
    )
    response_headers |= {"X-Lamplighter-From": str(first), "X-Lamplighter-Step": str(last)}
    response_headers |= {"X-Lamplighter-Attempt": str(range_.attempt), "X-Lamplighter-Exact": "true"}
    if done := not_modified(request, response_headers):
        return done
    matrix = 4 * len(run_folder.vocabulary) * run_folder.recipe.model.dim
    size = estimate_memory(run_folder, 2 * matrix if matrix > _SMALL_MATRIX else 0)
    make = _maker(services, _DisplacementQuery(run_folder, range_, first, last, most), form)
    return respond(request, services.response_limiter, make, size, response_headers, form.media_type)


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
        index = int(np.searchsorted(exact, step, side="right")) - 1
        before = int(exact[index]) if index >= 0 else None
        if before is None or (before != step and not nearest):
            raise NoSnapshotError(step, before)
        return before

    end = int(exact[-1]) if last is None and len(exact) else kept(newest if last is None else last)
    start = kept(first)
    if start > end:
        raise NoSnapshotError(first, end)
    return start, end


def _maker(
    services: Services, query: _DisplacementQuery, form: ResponseFormat
) -> Callable[[], Iterable[bytes]]:
    def make() -> Iterable[bytes]:
        with services.catalog.open_history(query.run) as history:
            both = [
                services.catalog.matrix_at(query.run, history, step, nearest=False)
                for step in (query.first, query.last)
            ]
        for one in both:
            if one.attempt != query.span.lineage.attempt_at(one.step):
                raise RefusedError(409, "a new attempt began while this was read: ask again")
            if one.vectors.shape != (len(query.run.vocabulary), query.run.recipe.model.dim):
                raise FormatError("its matrix does not fit its vocabulary and its recipe")
        distances = displacements(both[0].vectors, both[1].vectors)
        if form is NPY:
            return [npy_header(distances.dtype, distances.shape), distances.tobytes()]
        table = services.catalog.token_table(query.run)
        items = [
            Displacement(
                token_id=token_id,
                token=table.text(token_id),
                class_=table.class_name(token_id),
                distance=float(distances[token_id]),
            )
            for token_id in farthest_rows(distances, query.most).tolist()
        ]
        response = Displacements(
            attempt=query.span.attempt,
            from_=query.first,
            to=query.last,
            rows=len(distances),
            moved=int((distances > 0).sum()),
            items=items,
        )
        return [to_json_text(response).encode()]

    return make
