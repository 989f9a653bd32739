"""Reprojection of a finished run: started, polled, cancelled."""

from __future__ import annotations

from starlette.responses import Response

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.serving.http.problems import RefusedError
from lamplighter.serving.http.route_table import AnswerFacts, Routes
from lamplighter.serving.jobs.reprojections import ReprojectionJob
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import json_response
from lamplighter.serving.schemas.map import NewReprojection, ReprojectedLayouts, Reprojection
from lamplighter.serving.services import ServicesDep

routes = Routes("map")


@routes.post(
    "/api/runs/{run}/reprojection",
    status_code=202,
    response_model=Reprojection,
    answers=AnswerFacts(errors=(507,)),
)
def start_reprojection(run: RunId, body: NewReprojection, services: ServicesDep) -> Response:
    """Start to lay out a run that is over again, looking both ways through time; the live layouts are kept. 409 while
    another reprojection is running.
    """
    run_folder = services.catalog.find_run(run)
    phase = services.catalog.status(run_folder).phase
    if not phase.has_ended:
        raise RefusedError(409, f"this run is {phase}; it can be laid out anew once it is over")
    return json_response(
        _to_schema(run_folder, services.reprojection_jobs.start(run_folder, body.slices)), 202
    )


@routes.get("/api/runs/{run}/reprojection", response_model=Reprojection)
def get_reprojection(run: RunId, services: ServicesDep) -> Response:
    """Return the progress of a run's reprojection, and the layouts of an earlier one."""
    run_folder = services.catalog.find_run(run)
    return json_response(_to_schema(run_folder, services.reprojection_jobs.for_run(run_folder)))


@routes.delete("/api/runs/{run}/reprojection", status_code=204)
def cancel_reprojection(run: RunId, services: ServicesDep) -> Response:
    """Cancel the reprojection; the layouts of an earlier one stay."""
    services.reprojection_jobs.cancel(services.catalog.find_run(run).id)
    return Response(status_code=204)


def _to_schema(run: RunFolder, job: ReprojectionJob) -> Reprojection:
    result = None
    try:
        with LayoutsReader(run.relayouts_path) as reader:
            facts, entries = reader.facts(), reader.layout_entries()
        steps = sorted({entry.step for entry in entries})
        result = ReprojectedLayouts(
            steps=len(steps), first=steps[0], last=steps[-1], time=float(facts.get("made", 0.0))
        )
    except (FileNotFoundError, IndexError):
        pass
    return Reprojection(
        state=job.state, share=job.progress, what=job.activity, problem=job.problem, made=result
    )
