"""Pairwise similarity of some tokens' rows, and of random pairs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import numpy as np
from fastapi import Query
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.geometry import pairs as geometry
from lamplighter.runfolder.reading.output_matrix import find_output_point
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.reading.parameters import KeptStep, MatrixChoice, RunId
from lamplighter.serving.reading.run_catalog import MatrixName
from lamplighter.serving.reading.token_table import ID_LIST, parse_token_ids
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.vectors import Pairs, PairsMeasured, PairTable
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import FieldError, RefusedError
from lamplighter.web.http.response_cost import pass_cost
from lamplighter.web.http.route_table import AnswerFacts, Routes

routes = Routes("tokens")

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
