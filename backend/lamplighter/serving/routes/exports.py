"""Exports of a run: started in the background, polled, downloaded."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from starlette.responses import Response

from lamplighter.contract.sentences import say
from lamplighter.exports.export import FORMATS
from lamplighter.serving.jobs.exports import ExportJob
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import json_response
from lamplighter.serving.schemas.exports import Export, ExportList, NewExport
from lamplighter.serving.services import ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.openapi import body_schema
from lamplighter.web.http.problems import FieldError, RefusedError
from lamplighter.web.http.response_cost import Pricing
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.web.http.streaming import DownloadResponse

routes = Routes("exports")

_ANY = "application/octet-stream"
_MEDIA = {
    "zip": "application/zip",
    "html": "text/html; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv; charset=utf-8",
}
_CONTENT = {media.partition(";")[0]: {"schema": body_schema(media)} for media in (*_MEDIA.values(), _ANY)}
_FILE = {
    "200": {"content": _CONTENT},
    "206": {
        "description": "The bytes in `Range`",
        "content": _CONTENT | {"multipart/byteranges": {"schema": body_schema("multipart/byteranges")}},
    },
}

ExportId = Annotated[
    str, Path(description="The export's id.", json_schema_extra={"pattern": "^[0-9a-f]{24}$"})
]


@routes.post(
    "/api/runs/{run}/exports",
    status_code=202,
    pricing=Pricing.FIXED,
    response_model=Export,
    answers=AnswerFacts(errors=(503, 507), headers=("Location",)),
)
def start_export(run: RunId, body: NewExport, services: ServicesDep) -> Response:
    """Start an export; poll it for its progress. 409 while the maximum number of exports is running."""
    run_folder = services.catalog.find_run(run)
    if body.step is not None and FORMATS[body.format].write_step is None:
        problem = f"{body.format} holds every step; leave out `step`"
        raise RefusedError(422, f"step: {problem}", [FieldError(field="step", message=problem)])
    job = services.export_jobs.submit(run_folder, body.format, body.step)
    return json_response(_to_schema(job), 202, {"Location": f"/api/runs/{run_folder.id}/exports/{job.id}"})


@routes.get(
    "/api/runs/{run}/exports", polled=True, pool=Pool.CHEAP, pricing=Pricing.FIXED, response_model=ExportList
)
def list_exports(run: RunId, services: ServicesDep) -> Response:
    """Return a run's running and finished exports, newest first."""
    jobs = services.export_jobs.for_run(services.catalog.find_run(run))
    return json_response(ExportList(items=[_to_schema(job) for job in jobs]))


@routes.get(
    "/api/runs/{run}/exports/{export}",
    polled=True,
    pool=Pool.CHEAP,
    pricing=Pricing.FIXED,
    response_model=Export,
)
def get_export(run: RunId, export: ExportId, services: ServicesDep) -> Response:
    """Return one export and its progress."""
    return json_response(_to_schema(services.export_jobs.find_job(services.catalog.find_run(run), export)))


@routes.delete("/api/runs/{run}/exports/{export}", pricing=Pricing.FIXED, status_code=204)
def delete_export(run: RunId, export: ExportId, services: ServicesDep) -> Response:
    """Cancel a running export, or delete a finished one with its file."""
    services.export_jobs.delete(services.export_jobs.find_job(services.catalog.find_run(run), export))
    return Response(status_code=204)


# No HEAD: the route would read the whole file and discard it.
@routes.get(
    "/api/runs/{run}/exports/{export}/file",
    pool=Pool.CHEAP,
    head=False,
    pricing=Pricing.FIXED,
    response_class=DownloadResponse,
    answers=AnswerFacts(errors=(416,)),
    openapi_extra={"responses": _FILE},
)
def download_export(run: RunId, export: ExportId, services: ServicesDep) -> Response:
    """Return the exported file, or with `Range` a part of it."""
    job = services.export_jobs.find_job(services.catalog.find_run(run), export)
    if job.state == "running":
        raise RefusedError(409, say("export_unfinished", percent=100 * job.progress))
    if job.state != "done" or not job.file.is_file():
        raise RefusedError(404, say("export_without_file"))
    # An exported HTML page is user data: the sandbox keeps it from running with this server's origin.
    headers = {"Content-Security-Policy": "sandbox"}
    return DownloadResponse(
        job.file, headers=headers, media_type=_MEDIA.get(job.format, _ANY), filename=job.name
    )


def _to_schema(job: ExportJob) -> Export:
    return Export(
        id=job.id,
        run=job.run.id,
        format=job.format,
        step=job.step,
        created=job.created,
        state=job.state,
        share=job.progress,
        what=job.activity,
        bytes=job.bytes,
        name=job.name,
        problem=job.problem,
        left_out=job.left_out,
    )
