"""The map of a run's output matrix: laid out when asked for, polled, cancelled. `layouts` with `set=output` has the result."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from lamplighter.runfolder.reading.output_matrix import explain_no_output_map, list_output_points
from lamplighter.serving.capacity.thread_pools import Pool
from lamplighter.serving.http.problems import RefusedError
from lamplighter.serving.http.response_cost import LIST_ENTRY_BYTES, Pricing
from lamplighter.serving.http.route_table import AnswerFacts, Routes
from lamplighter.serving.jobs.reprojections import MOST_LISTED
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.map import Reprojection
from lamplighter.serving.services import ServicesDep

routes = Routes("map")

_COST = LIST_ENTRY_BYTES * MOST_LISTED


@routes.post(
    "/api/runs/{run}/output-map",
    status_code=202,
    response_model=Reprojection,
    answers=AnswerFacts(errors=(507,)),
)
def start_output_map(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Start to lay out the output matrix of a run, live or over, at its waypoints; one that is there stays until the new
    one is whole. 409 while another is being laid out, and where there is nothing to lay out.
    """
    reply = services.reply(request, run, status=202)
    with services.catalog.open_steps(reply.run) as reader:
        reason = explain_no_output_map(reply.run, list_output_points(reply.run, reader))
    if reason:
        raise RefusedError(409, reason)
    job = services.output_map_jobs.start(reply.run, None)
    return reply.send(_COST, lambda: json_body(job.describe(reply.run.output_layouts_path)))


@routes.get("/api/runs/{run}/output-map", pool=Pool.CHEAP, polled=True, response_model=Reprojection)
def get_output_map(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return how far the layout of the output matrix is, and the layouts that were made before."""
    reply = services.reply(request, run)
    job = services.output_map_jobs.for_run(reply.run)
    return reply.send(_COST, lambda: json_body(job.describe(reply.run.output_layouts_path)))


@routes.delete("/api/runs/{run}/output-map", pricing=Pricing.FIXED, status_code=204)
def cancel_output_map(run: RunId, services: ServicesDep) -> Response:
    """Cancel the layout of the output matrix; what was made before stays."""
    services.output_map_jobs.cancel(services.catalog.find_run(run).id)
    return Response(status_code=204)
