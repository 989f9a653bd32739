"""Layouts made on request: the reprojection of a finished run, and the map of a run's output matrix. Each is started,
polled and cancelled; `layouts` with `set=again` or `set=output` has the result.
"""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from lamplighter.contract.sentences import say
from lamplighter.runfolder.reading.output_matrix import explain_no_output_map, list_output_points
from lamplighter.serving.jobs.reprojections import MAX_LISTED, ReprojectionJob
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.map import NewReprojection, Reprojection
from lamplighter.serving.services import ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.reply import Reply
from lamplighter.web.http.response_cost import LIST_ENTRY_BYTES, Pricing
from lamplighter.web.http.route_table import AnswerFacts, Routes

routes = Routes("map")


@routes.post(
    "/api/runs/{run}/reprojection",
    status_code=202,
    response_model=Reprojection,
    answers=AnswerFacts(errors=(507,)),
)
def start_reprojection(
    run: RunId, body: NewReprojection, request: Request, services: ServicesDep
) -> Response:
    """Start to lay out a finished run again, using past and future steps; the live layouts are kept. 409 while another
    reprojection is running.
    """
    reply = services.reply(request, run, status=202)
    if not services.catalog.status(reply.run).phase.has_ended:
        raise RefusedError(409, say("map_not_over"))
    job = services.reprojection_jobs.start(reply.run, body.slices)
    return _describe(reply, job, reply.run.relayouts_path)


@routes.get("/api/runs/{run}/reprojection", pool=Pool.CHEAP, polled=True, response_model=Reprojection)
def get_reprojection(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the progress of a run's reprojection, and the layouts of an earlier one."""
    reply = services.reply(request, run)
    job = services.reprojection_jobs.for_run(reply.run)
    return _describe(reply, job, reply.run.relayouts_path)


@routes.delete("/api/runs/{run}/reprojection", pricing=Pricing.FIXED, status_code=204)
def cancel_reprojection(run: RunId, services: ServicesDep) -> Response:
    """Cancel the reprojection. The layouts of an earlier one are kept."""
    services.reprojection_jobs.cancel(services.catalog.find_run(run).id)
    return Response(status_code=204)


@routes.post(
    "/api/runs/{run}/output-map",
    status_code=202,
    response_model=Reprojection,
    answers=AnswerFacts(errors=(507,)),
)
def start_output_map(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Start to lay out the output matrix of a running or finished run at its waypoints. An existing layout stays until
    the new one is complete. 409 while another is being laid out, or if there is nothing to lay out.
    """
    reply = services.reply(request, run, status=202)
    with services.catalog.open_steps(reply.run) as reader:
        reason = explain_no_output_map(reply.run, list_output_points(reply.run, reader))
    if reason:
        raise RefusedError(409, reason)
    job = services.output_map_jobs.start(reply.run, None)
    return _describe(reply, job, reply.run.output_layouts_path)


@routes.get("/api/runs/{run}/output-map", pool=Pool.CHEAP, polled=True, response_model=Reprojection)
def get_output_map(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the progress of the output matrix's layout, and earlier layouts."""
    reply = services.reply(request, run)
    job = services.output_map_jobs.for_run(reply.run)
    return _describe(reply, job, reply.run.output_layouts_path)


@routes.delete("/api/runs/{run}/output-map", pricing=Pricing.FIXED, status_code=204)
def cancel_output_map(run: RunId, services: ServicesDep) -> Response:
    """Cancel the layout of the output matrix. Earlier layouts are kept."""
    services.output_map_jobs.cancel(services.catalog.find_run(run).id)
    return Response(status_code=204)


def _describe(reply: Reply, job: ReprojectionJob, path: Path) -> Response:
    """Return a job as an answer, with the layouts in its output file."""
    return reply.send(LIST_ENTRY_BYTES * MAX_LISTED, lambda: json_body(job.describe(path)))
