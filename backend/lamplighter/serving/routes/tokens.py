"""Tokens: the vocabulary, one token at a step, its neighbours. Paths use ids, never text: '/' is a token too."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.geometry.neighbours import nearest_rows
from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.serving.reading.parameters import KeptStep, MatrixChoice, OtherTokenId, RunId, TokenId
from lamplighter.serving.reading.token_table import require_token
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.tokens import Neighbour, NeighboursResponse, TokenDetails, TokenList
from lamplighter.serving.services import ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.response_cost import LIST_ENTRY_BYTES, pass_cost
from lamplighter.web.http.route_table import AnswerFacts, Routes
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
