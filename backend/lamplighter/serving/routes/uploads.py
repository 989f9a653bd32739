"""Uploads of texts to train on."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.serving.http.problems import Refused
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.jobs.uploads import LARGEST
from lamplighter.serving.schemas.base import Upload, as_json
from lamplighter.serving.services import AHouse

routes = Routes("uploads")

_BODY = {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}


# Slightly above the largest text, so that a text just over the limit gets the error that names the limit.
@routes.post(
    "/api/uploads",
    body_limit=LARGEST + (1 << 20),
    status_code=201,
    response_model=Upload,
    openapi_extra={"requestBody": _BODY},
)
async def upload(
    request: Request, house: AHouse, name: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Store a text, sent as the raw body: UTF-8, at most 64 MiB. `name` is its display name."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > LARGEST:
        raise Refused(413, f"a text may have at most {LARGEST >> 20} MiB")
    made, size = await house.uploads.keep(request.stream(), name)
    return as_json(Upload(upload=made, bytes=size), 201)
