"""Imports of runs that others exported: sent as zips, followed, cancelled."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.serving.jobs.imports import MAX_ZIP_BYTES, ImportJob
from lamplighter.serving.schemas.base import json_response
from lamplighter.serving.schemas.exports import Import
from lamplighter.serving.services import ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.openapi import body_schema
from lamplighter.web.http.response_cost import Pricing
from lamplighter.web.http.route_table import Access, AnswerFacts, Routes

routes = Routes("imports")

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
