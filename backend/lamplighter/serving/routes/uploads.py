"""Uploads of texts to train on."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.serving.jobs.uploads import MAX_UPLOAD_BYTES, too_large_error
from lamplighter.serving.schemas.base import TextFacts, Upload, json_response
from lamplighter.serving.services import ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.response_cost import Pricing
from lamplighter.web.http.route_table import AnswerFacts, Routes

routes = Routes("uploads")

_BODY = {
    "required": True,
    "content": {
        "text/plain": {"schema": {"type": "string", "minLength": 1}},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}


# Slightly above the largest text, so that a text just over the limit gets the error that states the limit.
@routes.post(
    "/api/uploads",
    pool=Pool.NONE,
    body_limit=MAX_UPLOAD_BYTES + (1 << 20),
    pricing=Pricing.FIXED,
    status_code=201,
    response_model=Upload,
    answers=AnswerFacts(errors=(409, 507)),
    openapi_extra={"requestBody": _BODY},
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
