"""Tokens: the vocabulary, one token at a step, its neighbours, and the distances of pairs. Paths use ids, never text: '/' is
a token too.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import numpy as np
from fastapi import Query
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.geometry import pairs as geometry
from lamplighter.geometry.neighbours import nearest_rows
from lamplighter.runfolder.reading.output_matrix import find_output_point
from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.reading.parameters import KeptStep, MatrixChoice, OtherTokenId, RunId, TokenId
from lamplighter.serving.reading.run_catalog import MatrixName
from lamplighter.serving.reading.token_table import ID_LIST, parse_token_ids, require_token
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.tokens import Neighbour, NeighboursResponse, TokenDetails, TokenList
from lamplighter.serving.schemas.vectors import Pairs, PairsMeasured, PairTable
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import FieldError, RefusedError
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
