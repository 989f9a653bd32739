"""The steps of a run that stand out, what was in one of them, and the steps at which its curves turn."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.contract.sentences import say
from lamplighter.outliers.answer import OutlyingSteps, StepCause, TurningPoints
from lamplighter.outliers.reading import MAX_LISTED, explain, find_outlying_steps
from lamplighter.outliers.step_figures import MAX_JUDGED
from lamplighter.outliers.turning_points import (
    MAX_CURVES,
    MAX_READ,
    choose_extent,
    find_turning_points,
)
from lamplighter.serving.reading.parameters import FromStep, RunId, StepPath, ToStep
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.services import ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import LIST_ENTRY_BYTES
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.web.http.step_range import resolve_step_range

routes = Routes("steps")

_FIGURE_BYTES = 24
"""Bytes of the figures of a step while it is judged."""
_VALUE_BYTES = 100
"""Bytes of a value of a curve while it is judged."""


@routes.get(
    "/api/runs/{run}/outliers",
    pool=Pool.DEAR,
    response_model=OutlyingSteps,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def list_outliers(
    run: RunId,
    request: Request,
    services: ServicesDep,
    from_: FromStep = 1,
    to: ToStep = None,
    limit: Annotated[
        int, Query(ge=1, le=MAX_LISTED, description="Maximum number of steps to list.")
    ] = MAX_LISTED,
) -> Response:
    """Return the steps that stand out from those around them, by their loss, gradient norm or number of moved rows: of
    `from` to `to`, inclusive, the last 20,000 are judged.
    """
    reply = services.reply(request, run)
    with services.catalog.open_steps(reply.run) as reader:
        range_ = resolve_step_range(reply.run, reader, max(1, from_), to, None)
    reply.tag("outliers", range_.lineage, range_.first, range_.last, limit, immutable=range_.immutable)
    judged = min(MAX_JUDGED, range_.last - range_.first + 1)
    return reply.send(
        _FIGURE_BYTES * judged + LIST_ENTRY_BYTES * limit,
        lambda: json_body(find_outlying_steps(reply.run, range_.first, range_.last, limit)),
    )


@routes.get(
    "/api/runs/{run}/outliers/{step}",
    pool=Pool.DEAR,
    response_model=StepCause,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def get_outlier(run: RunId, step: StepPath, request: Request, services: ServicesDep) -> Response:
    """Return what was in a step, whether it stands out or not: its figures beside what was expected, the predictions with
    the largest losses, the rows that moved farthest and their neighbourhoods, each beside what is usual around it.
    """
    reply = services.reply(request, run)
    with services.catalog.open_steps(reply.run) as reader:
        newest = reader.newest_step()
    reply.tag("outlier", newest, immutable=False)

    def make() -> list[bytes]:
        try:
            return json_body(explain(reply.run, step))
        except LookupError:
            raise RefusedError(404, say("step_not_recorded", step=step, last=newest[1])) from None

    return reply.send(_FIGURE_BYTES * MAX_JUDGED, make)


@routes.get(
    "/api/runs/{run}/turning-points",
    pool=Pool.DEAR,
    response_model=TurningPoints,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def list_turning_points(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the steps at which the curves of a run turn: where one that only slowed down speeds up, or goes the other way.
    A run in training is judged up to a step that grows by a sixteenth to an eighth at a time.
    """
    reply = services.reply(request, run)
    with services.catalog.open_steps(reply.run) as reader:
        extent = choose_extent(reply.run, reader)
    reply.tag("turning-points", extent, immutable=False)
    return reply.send(
        _VALUE_BYTES * MAX_READ * MAX_CURVES, lambda: json_body(find_turning_points(reply.run, extent))
    )
