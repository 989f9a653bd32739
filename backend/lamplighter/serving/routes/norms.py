"""Norms: the length of every row of the embedding at a step."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.exports.formats.array_headers import npy_head
from lamplighter.serving.http.caching import headers, tag, unchanged
from lamplighter.serving.http.content_negotiation import JSON, NPY, choose, described
from lamplighter.serving.http.problems import Refused
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.routes.snapshots import JSON_NUMBERS
from lamplighter.serving.schemas.base import Step, as_json
from lamplighter.serving.schemas.vectors import Norms
from lamplighter.serving.services import AHouse

routes = Routes("snapshots")

OFFERED = (NPY, JSON)


@routes.get("/api/runs/{run}/norms", response_model=Norms, responses=described(OFFERED))
def norms(
    run: str,
    request: Request,
    house: AHouse,
    step: Step | None = None,
    format: Annotated[Literal["npy", "json"] | None, Query()] = None,
) -> Response:
    """Return every row's Euclidean norm, by token id, after the newest exactly kept step at or before `step`;
    without `step`, the newest of all.
    """
    form = choose(request, OFFERED, format)
    found = house.library.find(run)
    with house.library.history(found) as history:
        matrix = house.library.matrix(found, history, step, nearest=True)
    exact = step is None or matrix.step == step
    told = headers(tag(found, "norms", matrix.attempt, matrix.step, exact, form.name), lasting=False)
    told |= {"X-Lamplighter-Step": str(matrix.step), "X-Lamplighter-Attempt": str(matrix.attempt)}
    told |= {"X-Lamplighter-Exact": "true" if exact else "false"}
    if done := unchanged(request, told):
        return done
    # Computed in float32: a float64 copy would take twice the matrix's memory.
    lengths = np.linalg.norm(matrix.vectors, axis=1).astype(np.float32)
    if form is NPY:
        body = npy_head(lengths.dtype, lengths.shape) + lengths.tobytes()
        return Response(body, headers=told, media_type=NPY.media_type)
    if len(lengths) > JSON_NUMBERS:
        raise Refused(422, f"{len(lengths):,} numbers are too many for JSON: ask for format=npy")
    said = Norms(attempt=matrix.attempt, step=matrix.step, exact=exact, norms=lengths.tolist())
    return as_json(said, headers=told)
