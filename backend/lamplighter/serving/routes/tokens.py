"""Tokens: the vocabulary, one token at a step, its neighbours and its path, and the distances of pairs. Paths of URLs use
ids, never text: '/' is a token too.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import numpy as np
from fastapi import Query
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.geometry import pairs as geometry
from lamplighter.geometry.neighbours import nearest_rows
from lamplighter.runfolder.reading.output_matrix import find_output_point
from lamplighter.runfolder.reading.row_deltas import read_gradient_history
from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.reading.step_figures import LAST_INDEXED_STEP
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.reading.layout_query import MethodName, layout_ids, open_layouts
from lamplighter.serving.reading.parameters import (
    FORMAT,
    AttemptParam,
    FromStep,
    KeptStep,
    LayoutMethod,
    MatrixChoice,
    OtherTokenId,
    RunId,
    TokenId,
    ToStep,
)
from lamplighter.serving.reading.run_catalog import MatrixName
from lamplighter.serving.reading.step_reading import MIN_POINTS
from lamplighter.serving.reading.token_histories import (
    MANY_STEPS,
    OFFERED,
    Columns,
    PathRequest,
    answer_vector_history,
    downsample,
)
from lamplighter.serving.reading.token_table import ID_LIST, parse_token_ids, require_token
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.vectors import (
    GradientHistoryResponse,
    MapHistoryResponse,
    MotionHistoryResponse,
    Neighbour,
    NeighboursResponse,
    PairHistoryResponse,
    Pairs,
    PairsMeasured,
    PairTable,
    TokenDetails,
    TokenList,
    VectorHistoryResponse,
)
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import FieldError, RefusedError
from lamplighter.web.http.response_cost import (
    LARGE_RESPONSE_BYTES,
    LIST_ENTRY_BYTES,
    pass_cost,
    streaming_cost,
)
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.web.http.step_range import resolve_step_range
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.row_frames import NEVER

routes = Routes("tokens")


@routes.get(
    "/api/runs/{run}/tokens",
    pool=Pool.CHEAP,
    response_model=TokenList,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def list_tokens(
    run: RunId,
    request: Request,
    services: ServicesDep,
    search: Annotated[str | None, Query(max_length=200, description="A part of the token.")] = None,
    limit: Annotated[int, Query(ge=1, le=50_000, description="Maximum number of tokens to return.")] = 20,
    offset: Annotated[int, Query(ge=0, le=10_000_000, description="Number of tokens to skip.")] = 0,
) -> Response:
    """Return the tokens that match `search`, in the tokeniser's form or as displayed: exact matches first, then
    prefixes, then matches anywhere, each by frequency. Without `search`, return all by id.
    """
    reply = services.reply(request, run)
    table = services.catalog.token_table(reply.run)
    cost = LIST_ENTRY_BYTES * min(limit, len(table)) + min(table.characters, 2 * limit * table.longest)

    def make() -> list[bytes]:
        if search:
            return json_body(TokenList(items=table.search(search, limit, offset)))
        return [table.encode_list(limit, offset)]

    # The vocabulary is written once.
    reply.tag("tokens", search, limit, offset, immutable=False)
    return reply.send(cost, make)


@routes.get(
    "/api/runs/{run}/tokens/{token_id}",
    pool=Pool.DEAR,
    response_model=TokenDetails,
    answers=AnswerFacts(errors=(503,)),
)
def get_token(
    run: RunId, token_id: TokenId, request: Request, services: ServicesDep, step: KeptStep = None
) -> Response:
    """Return one token at `step` (by default, the newest with a snapshot)."""
    reply = services.reply(request, run)
    table = services.catalog.token_table(reply.run)
    require_token(table, token_id)

    def make() -> list[bytes]:
        with services.catalog.open_history(reply.run) as history:
            matrix = services.catalog.rows_at(reply.run, history, step, nearest=True)
            so_far = read_touches(history.steps, matrix.step)
        entry = table.token(token_id)
        last_lit = int(so_far.last_lit[token_id])
        return json_body(
            TokenDetails(
                token_id=token_id,
                token=entry.token,
                text=entry.text,
                count=entry.count,
                class_=entry.class_,
                step=matrix.step,
                exact=step is None or matrix.step == step,
                norm=float(np.linalg.norm(matrix.vectors[token_id])),
                touches=int(so_far.touches[token_id]),
                last_lit=None if last_lit == NEVER else last_lit,
            )
        )

    return reply.send(pass_cost(reply.run, 8 * len(table)), make)


@routes.get(
    "/api/runs/{run}/neighbours",
    pool=Pool.DEAR,
    response_model=NeighboursResponse,
    answers=AnswerFacts(errors=(503,)),
)
def get_neighbours(
    run: RunId,
    token_id: OtherTokenId,
    request: Request,
    services: ServicesDep,
    step: KeptStep = None,
    k: Annotated[int, Query(ge=1, le=1_000, description="The number of neighbours.")] = 10,
    which: MatrixChoice = "in",
) -> Response:
    """Return the `k` nearest tokens by cosine at `step` (by default, the newest with a snapshot). `matrix=out` compares
    rows of the output matrix.
    """
    reply = services.reply(request, run)
    table = services.catalog.token_table(reply.run)
    require_token(table, token_id)

    def make() -> list[bytes]:
        with services.catalog.open_history(reply.run) as history:
            matrix = services.catalog.nearest_rows_at(reply.run, history, step, which)
        ids, cosines = nearest_rows(matrix.vectors, np.array([token_id]), k)
        items = [
            Neighbour(
                token_id=int(neighbour_id),
                token=table.text(int(neighbour_id)),
                class_=table.class_name(int(neighbour_id)),
                cosine=float(cosine),
            )
            for neighbour_id, cosine in zip(ids[0], cosines[0], strict=True)
        ]
        exact = step is None or matrix.step == step
        return json_body(NeighboursResponse(items=items, step=matrix.step, exact=exact))

    return reply.send(pass_cost(reply.run, LIST_ENTRY_BYTES * k + k * table.longest), make)


MAX_TOKENS = 2_000
"""Maximum number of tokens whose pairs are measured: two million pairs."""
MAX_LISTED_TOKENS = 16
"""Maximum number of tokens whose pairs are listed."""
_PAIR_BYTES = 40
"""Bytes of memory of a pair while it is measured: a cosine, a distance, and intermediate values."""


@routes.get("/api/runs/{run}/pairs", pool=Pool.DEAR, response_model=Pairs, answers=AnswerFacts(errors=(503,)))
def get_pairs(
    run: RunId,
    token_ids: Annotated[
        str,
        Query(
            max_length=MAX_TOKENS * 8,
            description=f"At most {MAX_TOKENS:,} ids separated by commas, each once.",
            json_schema_extra={"pattern": f"^{ID_LIST}$"},
        ),
    ],
    request: Request,
    services: ServicesDep,
    step: KeptStep = None,
    which: MatrixChoice = "in",
) -> Response:
    """Return cosine and distance statistics over every pair of some tokens, and over random pairs of all tokens, at
    `step` (by default, the newest with a snapshot). `matrix=out` compares rows of the output matrix.
    """
    reply = services.reply(request, run)
    ids = parse_token_ids(services.catalog.token_table(reply.run), token_ids)
    if ids is None or len(ids) > MAX_TOKENS:
        message = f"the pairs of at most {MAX_TOKENS:,} tokens can be measured at once"
        raise RefusedError(422, f"token_ids: {message}", [FieldError(field="token_ids", message=message)])
    with services.catalog.open_steps(reply.run) as reader:
        newest = reader.newest_step()[1]
        now = (reader.lineage(), newest, reader.keyframe_step(newest))
        point = find_output_point(reply.run, reader, step).path.name if which == "out" else None
    reply.key("pairs", now, step, point, ids.tolist())
    # Both the chosen rows and their copies in 64 bits.
    rows = 12 * len(ids) * reply.run.recipe.model.dim
    memory = pass_cost(reply.run, rows + _PAIR_BYTES * len(ids) * min(len(ids), geometry.BLOCK))
    return reply.send(memory, lambda: json_body(_measure(services, reply.run, ids, step, which)))


def _measure(
    services: Services, run: RunFolder, ids: NDArray[np.int64], step: int | None, which: MatrixName
) -> Pairs:
    with services.catalog.open_history(run) as history:
        matrix = services.catalog.nearest_rows_at(run, history, step, which)
    # Non-finite values give non-finite sums, which are sent as null, so no warning is needed.
    with np.errstate(all="ignore"):
        rows = matrix.vectors[ids]
        pair_table = None
        if len(ids) <= MAX_LISTED_TOKENS:
            cosines, distances = geometry.pairwise_similarities(rows)
            pair_table = PairTable(cosine=cosines.tolist(), distance=distances.tolist())
        return Pairs(
            step=matrix.step,
            exact=step is None or matrix.step == step,
            token_ids=ids.tolist(),
            among=PairsMeasured.model_validate(asdict(geometry.measure_all_pairs(rows))),
            random=PairsMeasured.model_validate(asdict(geometry.measure_random_pairs(matrix.vectors))),
            table=pair_table,
        )


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
