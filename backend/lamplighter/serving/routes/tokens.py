"""Tokens: the vocabulary, one token at a step, its neighbours. Paths use ids, never text: '/' is a token too."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import Query
from starlette.responses import Response

from lamplighter.geometry.neighbours import nearest
from lamplighter.runfolder.reading.snapshot import touches
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.reading.token_ids import known
from lamplighter.serving.schemas.base import Items, Step, as_json
from lamplighter.serving.schemas.tokens import Neighbour, Neighbours, Token, TokenInFull
from lamplighter.serving.services import AHouse
from lamplighter.wire.frames import NEVER

routes = Routes("tokens")

TokenId = Annotated[int, Query(ge=0, le=0xFFFF_FFFF)]


@routes.get("/api/runs/{run}/tokens", response_model=Items[Token])
def tokens(
    run: str,
    house: AHouse,
    search: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=50_000)] = 20,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """Return the tokens that match `search`: exact matches first, then prefixes, then matches anywhere, each by
    frequency. Without `search`, return all by id.
    """
    table = house.library.tokens(house.library.find(run))
    return as_json(Items[Token](items=table.search(search, limit, offset)))


@routes.get("/api/runs/{run}/tokens/{token_id}", response_model=TokenInFull)
def token(run: str, token_id: int, house: AHouse, step: Step | None = None) -> Response:
    """Return one token at a step; without `step`, at the newest that has a snapshot."""
    found = house.library.find(run)
    table = house.library.tokens(found)
    known(table, token_id)
    with house.library.history(found) as history:
        matrix = house.library.matrix(found, history, step, nearest=True)
        so_far = touches(history.steps, matrix.step)
    plain = table.token(token_id)
    last_lit = int(so_far.last_lit[token_id])
    return as_json(
        TokenInFull(
            token_id=token_id,
            token=plain.token,
            count=plain.count,
            class_=plain.class_,
            step=matrix.step,
            exact=step is None or matrix.step == step,
            norm=float(np.linalg.norm(matrix.vectors[token_id])),
            touches=int(so_far.touches[token_id]),
            last_lit=None if last_lit == NEVER else last_lit,
        )
    )


@routes.get("/api/runs/{run}/neighbours", response_model=Neighbours)
def neighbours(
    run: str,
    token_id: TokenId,
    house: AHouse,
    step: Step | None = None,
    k: Annotated[int, Query(ge=1, le=1_000)] = 10,
) -> Response:
    """Return the `k` nearest tokens by cosine at a step; without `step`, at the newest that has a snapshot."""
    found = house.library.find(run)
    table = house.library.tokens(found)
    known(table, token_id)
    with house.library.history(found) as history:
        matrix = house.library.matrix(found, history, step, nearest=True)
    ids, cosines = nearest(matrix.vectors, np.array([token_id]), k)
    items = [
        Neighbour(
            token_id=int(near),
            token=table.text(int(near)),
            class_=table.class_name(int(near)),
            cosine=float(cosine),
        )
        for near, cosine in zip(ids[0], cosines[0], strict=True)
    ]
    exact = step is None or matrix.step == step
    return as_json(Neighbours(items=items, step=matrix.step, exact=exact))
