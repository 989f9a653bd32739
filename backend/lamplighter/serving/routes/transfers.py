"""What comes and goes as a file: exports of a run, started in the background, polled, downloaded; imports of runs that others
exported; texts to train on.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.contract.sentences import say
from lamplighter.exports.export import FORMATS
from lamplighter.serving.jobs.exports import ExportJob
from lamplighter.serving.jobs.imports import MAX_ZIP_BYTES, ImportJob
from lamplighter.serving.jobs.uploads import MAX_UPLOAD_BYTES, too_large_error
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import TextFacts, Upload, json_response
from lamplighter.serving.schemas.exports import Export, ExportList, Import, NewExport
from lamplighter.serving.services import ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.openapi import body_schema
from lamplighter.web.http.problems import FieldError, RefusedError
from lamplighter.web.http.response_cost import Pricing
from lamplighter.web.http.route_table import Access, AnswerFacts, Routes
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


_BODY = {
    "required": True,
    "content": {"application/octet-stream": {"schema": body_schema("application/zip")}},
}
ImportId = Annotated[
    str,
    Path(
        alias="import",
        pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="A UUID that the sender chose.",
    ),
]


# Slightly above the largest zip, so that one just over the limit gets the error that states the limit.
@routes.put(
    "/api/imports/{import}",
    tags=["imports"],
    access=Access.CHANGE,
    body_limit=MAX_ZIP_BYTES + (1 << 20),
    pricing=Pricing.FIXED,
    status_code=202,
    response_model=Import,
    answers=AnswerFacts(errors=(409, 503, 507)),
    openapi_extra={"requestBody": _BODY},
)
async def import_run(import_id: ImportId, request: Request, services: ServicesDep) -> Response:
    """Import a run from its zip, sent as the raw body: at most 16 GB. The sender chooses the id, and can follow the import by it while
    it sends. 202 once all of it has arrived. 409 while another is imported; 422 if it is not a zip.
    """
    declared = request.headers.get("content-length", "")[:20]
    size = int(declared) if declared.isdecimal() else None
    return _answer(await services.import_jobs.receive(import_id, request.stream(), size), 202)


@routes.get(
    "/api/imports/{import}",
    tags=["imports"],
    pool=Pool.CHEAP,
    access=Access.PRESENT,
    polled=True,
    pricing=Pricing.FIXED,
    response_model=Import,
    answers=AnswerFacts(errors=(404, 422)),
)
def get_import(import_id: ImportId, services: ServicesDep) -> Response:
    """Return how far an import is, and its run once it is done."""
    return _answer(services.import_jobs.find_job(import_id))


@routes.delete(
    "/api/imports/{import}",
    tags=["imports"],
    pricing=Pricing.FIXED,
    status_code=204,
    answers=AnswerFacts(errors=(404, 409, 422)),
)
def cancel_import(import_id: ImportId, services: ServicesDep) -> Response:
    """Cancel an import; nothing of it is kept. Does nothing to one that is over."""
    services.import_jobs.cancel_import(services.import_jobs.find_job(import_id))
    return Response(status_code=204)


def _answer(job: ImportJob, status: int = 200) -> Response:
    return json_response(Import.model_validate(job, from_attributes=True), status)


_TEXT_BODY = {
    "required": True,
    "content": {
        "text/plain": {"schema": {"type": "string", "minLength": 1}},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}


# Slightly above the largest text, so that a text just over the limit gets the error that states the limit.
@routes.post(
    "/api/uploads",
    tags=["uploads"],
    pool=Pool.NONE,
    body_limit=MAX_UPLOAD_BYTES + (1 << 20),
    pricing=Pricing.FIXED,
    status_code=201,
    response_model=Upload,
    answers=AnswerFacts(errors=(409, 507)),
    openapi_extra={"requestBody": _TEXT_BODY},
)
async def upload_text(
    request: Request,
    services: ServicesDep,
    name: Annotated[str, Query(max_length=200, description="A display name.")] = "",
) -> Response:
    """Store a text, sent as the raw body with any media type: UTF-8, at most 64 MiB. `name` is its display name.
    Returns facts about the text. Creates no run. 422 if it is not text, or empty.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > MAX_UPLOAD_BYTES:
        raise too_large_error()
    upload_id, size, survey = await services.uploads.store(request.stream(), name)
    facts = TextFacts.model_validate(survey, from_attributes=True)
    return json_response(Upload(upload=upload_id, bytes=size, text=facts), 201)
