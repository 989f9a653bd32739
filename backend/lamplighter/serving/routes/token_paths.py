"""One token's history: its vectors, its motion, its gradient, its map positions, its distance to another token."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.serving.reading.downsampling import MIN_POINTS
from lamplighter.serving.reading.gradient_paths import answer_gradient_history
from lamplighter.serving.reading.map_paths import answer_map_history
from lamplighter.serving.reading.parameters import (
    FORMAT,
    AttemptParam,
    FromStep,
    LayoutMethod,
    RunId,
    TokenId,
    ToStep,
)
from lamplighter.serving.reading.path_answers import OFFERED, PathRequest
from lamplighter.serving.reading.token_ids import require_token
from lamplighter.serving.reading.vector_paths import answer_vector_history
from lamplighter.serving.schemas.vectors import (
    GradientHistoryResponse,
    MapHistoryResponse,
    MotionHistoryResponse,
    PairHistoryResponse,
    VectorHistoryResponse,
)
from lamplighter.serving.services import ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import FieldError, RefusedError
from lamplighter.web.http.route_table import AnswerFacts, Routes

routes = Routes("tokens")


@routes.get(
    "/api/runs/{run}/tokens/{token_id}/path",
    pool=Pool.DEAR,
    response_model=VectorHistoryResponse
    | MotionHistoryResponse
    | PairHistoryResponse
    | GradientHistoryResponse
    | MapHistoryResponse,
    answers=AnswerFacts(OFFERED, etag=True, errors=(503,)),
)
def get_token_history(
    run: RunId,
    token_id: TokenId,
    request: Request,
    services: ServicesDep,
    of: Annotated[
        Literal["vectors", "motion", "places", "gradient", "pair"],
        Query(description="The history to return."),
    ] = "vectors",
    from_: FromStep = 0,
    to: ToStep = None,
    most: Annotated[
        int | None,
        Query(ge=MIN_POINTS, le=1_000_000, description="Maximum number of steps to return; by default, all."),
    ] = None,
    method: LayoutMethod = "umap",
    with_: Annotated[
        int | None,
        Query(
            alias="with",
            ge=0,
            le=0xFFFF_FFFF,
            description="The id of the other token: required with `of=pair`, refused otherwise.",
        ),
    ] = None,
    format: Annotated[Literal["json", "npy", "arrow"] | None, FORMAT] = None,
    attempt: AttemptParam = None,
) -> Response:
    """Return one token's history over the exactly kept steps `from` to `to`, inclusive; `of=places` covers the layouts
    of `method` instead, `of=gradient` the steps in which the token was lit. With `most`, return at most that many
    steps, including the extremes. `of=pair` takes another token's id in `with`.
    """
    reply = services.reply(request, run, OFFERED, format)
    table = services.catalog.token_table(reply.run)
    require_token(table, token_id)
    if (of == "pair") != (with_ is not None):
        message = "of=pair needs another token's id in with=; no other history takes one"
        raise RefusedError(422, message, [FieldError(field="with", message=message)])
    if with_ is not None:
        require_token(table, with_)
    path_request = PathRequest(
        reply, services.catalog, services.run_index, token_id, from_, to, most, attempt
    )
    match of:
        case "places":
            return answer_map_history(path_request, method)
        case "gradient":
            return answer_gradient_history(path_request)
        case _:
            return answer_vector_history(path_request, of, with_)
