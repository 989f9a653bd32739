"""Pairs: how alike the rows of some tokens are, beside any two rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import numpy as np
from fastapi import Query
from starlette.responses import Response

from lamplighter.geometry import pairs as geometry
from lamplighter.serving.house import AHouse
from lamplighter.serving.problems import Fault, Refused
from lamplighter.serving.routing import Routes
from lamplighter.serving.shapes import Step, as_json
from lamplighter.serving.shapes_of_pairs import Likeness, Pairs, PairTable
from lamplighter.serving.token_ids import chosen

routes = Routes("tokens")

MOST = 2_000
"""Tokens whose pairs are measured: two million of them."""
TABLE = 16
"""Tokens whose pairs are told one by one."""


@routes.get("/api/runs/{run}/pairs", response_model=Pairs)
def pairs(
    run: str,
    token_ids: Annotated[str, Query(max_length=MOST * 8, description="ids between commas")],
    house: AHouse,
    step: Step | None = None,
) -> Response:
    """Cosine and distance of every pair of some tokens, and of pairs drawn at random from all tokens, at a
    step; without `step`, at the newest that has a snapshot.
    """
    found = house.library.find(run)
    ids = chosen(house.library.tokens(found), token_ids)
    if ids is None or len(ids) > MOST:
        message = f"the pairs of at most {MOST:,} tokens can be measured at once"
        raise Refused(422, f"token_ids: {message}", [Fault(field="token_ids", message=message)])
    with house.library.history(found) as history:
        matrix = house.library.matrix(found, history, step, nearest=True)
    # Sums of what is not finite are not finite either: they are told as null, and no reason to warn.
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
