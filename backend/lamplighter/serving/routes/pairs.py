"""Pairwise similarity of some tokens' rows, beside that of random pairs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import numpy as np
from fastapi import Query
from starlette.responses import Response

from lamplighter.geometry import pairs as geometry
from lamplighter.serving.http.problems import Fault, Refused
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.reading.token_ids import chosen
from lamplighter.serving.schemas.base import Step, as_json
from lamplighter.serving.schemas.pairs import Likeness, Pairs, PairTable
from lamplighter.serving.services import AHouse

routes = Routes("tokens")

MOST = 2_000
"""Most tokens whose pairs are measured: two million pairs."""
TABLE = 16
"""Most tokens whose pairs are listed one by one."""


@routes.get("/api/runs/{run}/pairs", response_model=Pairs)
def pairs(
    run: str,
    token_ids: Annotated[str, Query(max_length=MOST * 8, description="ids between commas")],
    house: AHouse,
    step: Step | None = None,
) -> Response:
    """Return cosine and distance statistics over every pair of some tokens, and over pairs drawn at random from all
    tokens, at a step; without `step`, at the newest that has a snapshot.
    """
    found = house.library.find(run)
    ids = chosen(house.library.tokens(found), token_ids)
    if ids is None or len(ids) > MOST:
        message = f"the pairs of at most {MOST:,} tokens can be measured at once"
        raise Refused(422, f"token_ids: {message}", [Fault(field="token_ids", message=message)])
    with house.library.history(found) as history:
        matrix = house.library.matrix(found, history, step, nearest=True)
    # Non-finite values give non-finite sums, which are sent as null: no reason to warn.
    with np.errstate(all="ignore"):
        rows = matrix.vectors[ids]
        told = None
        if len(ids) <= TABLE:
            cosines, distances = geometry.table(rows)
            told = PairTable(cosine=cosines.tolist(), distance=distances.tolist())
        answer = Pairs(
            step=matrix.step,
            exact=step is None or matrix.step == step,
            token_ids=ids.tolist(),
            among=Likeness.model_validate(asdict(geometry.of_all(rows))),
            random=Likeness.model_validate(asdict(geometry.of_random(matrix.vectors))),
            table=told,
        )
    return as_json(answer)
