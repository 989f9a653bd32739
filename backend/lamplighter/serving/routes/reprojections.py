"""Reprojection of a finished run: started, polled, cancelled."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from lamplighter.serving.capacity.thread_pools import Pool
from lamplighter.serving.http.problems import RefusedError
from lamplighter.serving.http.response_cost import LIST_ENTRY_BYTES, Pricing
from lamplighter.serving.http.route_table import AnswerFacts, Routes
from lamplighter.serving.jobs.reprojections import MOST_LISTED
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.map import NewReprojection, Reprojection
from lamplighter.serving.services import ServicesDep

routes = Routes("map")

_COST = LIST_ENTRY_BYTES * MOST_LISTED


@routes.post(
    "/api/runs/{run}/reprojection",
    status_code=202,
    response_model=Reprojection,
    answers=AnswerFacts(errors=(507,)),
)
def start_reprojection(
    run: RunId, body: NewReprojection, request: Request, services: ServicesDep
) -> Response:
    """Start to lay out a run that is over again, looking both ways through time; the live layouts are kept. 409 while
    another reprojection is running.
    """
    reply = services.reply(request, run, status=202)
    phase = services.catalog.status(reply.run).phase
    if not phase.has_ended:
        raise RefusedError(409, f"this run is {phase}; it can be laid out anew once it is over")
    job = services.reprojection_jobs.start(reply.run, body.slices)
    return reply.send(_COST, lambda: json_body(job.describe(reply.run.relayouts_path)))


@routes.get("/api/runs/{run}/reprojection", pool=Pool.CHEAP, polled=True, response_model=Reprojection)
def get_reprojection(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the progress of a run's reprojection, and the layouts of an earlier one."""
    reply = services.reply(request, run)
    job = services.reprojection_jobs.for_run(reply.run)
    return reply.send(_COST, lambda: json_body(job.describe(reply.run.relayouts_path)))


@routes.delete("/api/runs/{run}/reprojection", pricing=Pricing.FIXED, status_code=204)
def cancel_reprojection(run: RunId, services: ServicesDep) -> Response:
    """Cancel the reprojection; the layouts of an earlier one stay."""
    services.reprojection_jobs.cancel(services.catalog.find_run(run).id)
    return Response(status_code=204)
