"""Norms: the length of every row of the embedding at a step."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.exports.formats.array_headers import npy_header
from lamplighter.serving.http.caching import cache_headers, entity_tag, not_modified
from lamplighter.serving.http.content_negotiation import JSON, NPY, negotiate_format
from lamplighter.serving.http.problems import RefusedError
from lamplighter.serving.http.response_cost import JSON_NUMBERS
from lamplighter.serving.http.route_table import AnswerFacts, Routes
from lamplighter.serving.reading.parameters import FORMAT, KeptStep, RunId
from lamplighter.serving.schemas.base import json_response
from lamplighter.serving.schemas.vectors import Norms
from lamplighter.serving.services import ServicesDep

routes = Routes("snapshots")

OFFERED = (NPY, JSON)


@routes.get(
    "/api/runs/{run}/norms",
    response_model=Norms,
    answers=AnswerFacts(
        OFFERED, etag=True, headers=("X-Lamplighter-Step", "X-Lamplighter-Attempt", "X-Lamplighter-Exact")
    ),
)
def get_norms(
    run: RunId,
    request: Request,
    services: ServicesDep,
    step: KeptStep = None,
    format: Annotated[Literal["npy", "json"] | None, FORMAT] = None,
) -> Response:
    """Return every row's Euclidean norm, by token id, after the newest exactly kept step at or before `step`;
    without `step`, the newest of all.
    """
    form = negotiate_format(request, OFFERED, format)
    run_folder = services.catalog.find_run(run)
    with services.catalog.open_history(run_folder) as history:
        matrix = services.catalog.matrix_at(run_folder, history, step, nearest=True)
    exact = step is None or matrix.step == step
    response_headers = cache_headers(
        entity_tag(run_folder, "norms", matrix.attempt, matrix.step, exact, form.name), immutable=False
    )
    response_headers |= {"X-Lamplighter-Step": str(matrix.step), "X-Lamplighter-Attempt": str(matrix.attempt)}
    response_headers |= {"X-Lamplighter-Exact": "true" if exact else "false"}
    if done := not_modified(request, response_headers):
        return done
    # Computed in float32: a float64 copy would take twice the matrix's memory.
    lengths = np.linalg.norm(matrix.vectors, axis=1).astype(np.float32)
    if form is NPY:
        body = npy_header(lengths.dtype, lengths.shape) + lengths.tobytes()
        return Response(body, headers=response_headers, media_type=NPY.media_type)
    if len(lengths) > JSON_NUMBERS:
        raise RefusedError(422, f"{len(lengths):,} numbers are too many for JSON: ask for format=npy")
    response = Norms(attempt=matrix.attempt, step=matrix.step, exact=exact, norms=lengths.tolist())
    return json_response(response, headers=response_headers)
