"""Reprojection of a finished run: started, polled, cancelled."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.serving.capacity.thread_pools import Pool
from lamplighter.serving.http.problems import RefusedError
from lamplighter.serving.http.response_cost import LIST_ENTRY_BYTES, Pricing
from lamplighter.serving.http.route_table import AnswerFacts, Routes
from lamplighter.serving.jobs.reprojections import ReprojectionJob
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.map import NewReprojection, ReprojectedLayouts, Reprojection
from lamplighter.serving.services import ServicesDep

routes = Routes("map")

_MOST_LISTED = 5_000
"""Layouts that are counted; a reprojection makes at most 1,000 of each view."""
_COST = LIST_ENTRY_BYTES * _MOST_LISTED


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
    return reply.send(_COST, lambda: json_body(_to_schema(reply.run, job)))


@routes.get("/api/runs/{run}/reprojection", pool=Pool.CHEAP, polled=True, response_model=Reprojection)
def get_reprojection(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the progress of a run's reprojection, and the layouts of an earlier one."""
    reply = services.reply(request, run)
    job = services.reprojection_jobs.for_run(reply.run)
    return reply.send(_COST, lambda: json_body(_to_schema(reply.run, job)))


@routes.delete("/api/runs/{run}/reprojection", pricing=Pricing.FIXED, status_code=204)
def cancel_reprojection(run: RunId, services: ServicesDep) -> Response:
    """Cancel the reprojection; the layouts of an earlier one stay."""
    services.reprojection_jobs.cancel(services.catalog.find_run(run).id)
    return Response(status_code=204)


def _to_schema(run: RunFolder, job: ReprojectionJob) -> Reprojection:
    result = None
    try:
        with LayoutsReader(run.relayouts_path) as reader:
            facts, entries = reader.facts(), reader.layout_entries(limit=_MOST_LISTED)
        steps = sorted({entry.step for entry in entries})
        result = ReprojectedLayouts(
            steps=len(steps), first=steps[0], last=steps[-1], time=float(facts.get("made", 0.0))
        )
    except (FileNotFoundError, IndexError):
        pass
    return Reprojection(
        state=job.state,
        by_itself=job.by_itself,
        share=job.progress,
        what=job.activity,
        problem=job.problem,
        made=result,
    )
