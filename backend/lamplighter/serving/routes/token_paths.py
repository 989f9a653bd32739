"""One token's history: its vectors, its motion, its gradient, its map positions, its distance to another token."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.runfolder.reading.step_figures import LAST_INDEXED_STEP
from lamplighter.runfolder.reading.token_history import read_gradient_history
from lamplighter.serving.reading.layout_query import MethodName, layout_ids, open_layouts
from lamplighter.serving.reading.parameters import (
    FORMAT,
    AttemptParam,
    FromStep,
    LayoutMethod,
    RunId,
    TokenId,
    ToStep,
)
from lamplighter.serving.reading.step_reading import MIN_POINTS
from lamplighter.serving.reading.token_histories import (
    MANY_STEPS,
    OFFERED,
    Columns,
    PathRequest,
    answer_vector_history,
    downsample,
)
from lamplighter.serving.reading.token_table import require_token
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
from lamplighter.web.http.response_cost import LARGE_RESPONSE_BYTES, streaming_cost
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.web.http.step_range import resolve_step_range
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout


def answer_map_history(path_request: PathRequest, method: MethodName) -> Response:
    """Return a token's coordinates in the layouts of a view.

    Raises:
        RefusedError: an attempt was named, or too many layouts requested (422), or there is none (404).
    """
    run = path_request.reply.run
    if path_request.attempt is not None:
        raise RefusedError(422, "old steps may still get layouts: ask for positions without attempt")
    with open_layouts(path_request.catalog, run) as opened:
        entries = opened.select_every(path_request.first, path_request.last, method)
    path_request.tag("places", layout_ids(entries), immutable=False)

    def read() -> Columns:
        coordinates = np.empty((len(entries), 2), dtype=np.float32)
        with open_layouts(path_request.catalog, run) as opened:
            for index, entry in enumerate(entries):
                layout = decode_as(opened.read_frame(entry), Layout)
                coordinates[index] = layout.coordinates[path_request.token_id]
        columns: Columns = {
            "steps": np.array([entry.step for entry in entries], dtype=np.int64),
            "x": coordinates[:, 0],
            "y": coordinates[:, 1],
        }
        return downsample(columns, [coordinates[:, 0], coordinates[:, 1]], path_request.most)

    # Each layout is read in full.
    slow = 4 * len(entries) * len(run.vocabulary) >= LARGE_RESPONSE_BYTES
    return path_request.send(streaming_cost(0, slow=slow), read, method=method)


def answer_gradient_history(path_request: PathRequest) -> Response:
    """Return a token's gradient norms in the steps that lit it.

    Raises:
        RefusedError: too many steps at once (422).
        LineageChangedError: a new attempt began while they were read.
    """
    run = path_request.reply.run
    with path_request.catalog.open_steps(run) as reader:
        steps = resolve_step_range(
            run, reader, max(1, path_request.first), path_request.last, path_request.attempt
        )
    if len(steps) > LAST_INDEXED_STEP:
        raise RefusedError(
            422,
            f"a token's gradient can be requested for at most {LAST_INDEXED_STEP:,} steps at once: "
            "ask for fewer with from and to",
        )
    path_request.tag("gradient", steps.lineage, immutable=steps.immutable)

    def read() -> Columns:
        with path_request.catalog.open_steps(run) as reader:
            history = read_gradient_history(reader, path_request.token_id, steps.first, steps.last)
            steps.require_current(reader)
        columns: Columns = dict(zip(history._fields, history, strict=True))
        return downsample(columns, [history.gradient], path_request.most)

    return path_request.send(streaming_cost(0, slow=len(steps) > MANY_STEPS), read)


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
