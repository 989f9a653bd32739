"""Norms: the length of every row of the embedding at a step."""

from __future__ import annotations

from typing import Annotated, Literal

from starlette.requests import Request
from starlette.responses import Response

from lamplighter.exports.formats.tensor_files import npy_header
from lamplighter.geometry.neighbours import row_lengths
from lamplighter.serving.reading.parameters import FORMAT, KeptStep, MatrixChoice, RunId
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.vectors import Norms
from lamplighter.serving.services import ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.content_negotiation import JSON, NPY
from lamplighter.web.http.response_cost import check_json_numbers, pass_cost
from lamplighter.web.http.route_table import AnswerFacts, Routes

routes = Routes("snapshots")

OFFERED = (NPY, JSON)


@routes.get(
    "/api/runs/{run}/norms",
    pool=Pool.DEAR,
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
    which: MatrixChoice = "in",
) -> Response:
    """Return every row's Euclidean norm, by token id, after the newest exactly kept step at or before `step` (by
    default, the newest of all). `matrix=out` measures rows of the output matrix.
    """
    reply = services.reply(request, run, OFFERED, format)
    with services.catalog.open_history(reply.run) as history:
        matrix = services.catalog.nearest_rows_at(reply.run, history, step, which)
    exact = step is None or matrix.step == step
    reply.tag("norms", which, matrix.attempt, matrix.step, exact, reply.form.name, immutable=False)
    reply.add_facts(step=matrix.step, attempt=matrix.attempt, exact=exact)
    check_json_numbers(reply.form, len(matrix.vectors), "ask for format=npy")

    def make() -> list[bytes]:
        lengths = row_lengths(matrix.vectors).astype("float32")
        if reply.form is NPY:
            return [npy_header(lengths.dtype, lengths.shape), lengths.tobytes()]
        return json_body(Norms(attempt=matrix.attempt, step=matrix.step, exact=exact, norms=lengths.tolist()))

    return reply.send(pass_cost(reply.run, 4 * len(matrix.vectors)), make)
