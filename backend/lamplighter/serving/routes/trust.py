"""Trust in one layout of the map: its stored estimate, and the exact value over all tokens."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.geometry.trust import compute_full_trust
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.reading.layout_query import open_layouts
from lamplighter.serving.reading.parameters import LayoutMethod, RunId, StepPath
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.map import (
    DoubtfulTokens,
    FullTrustResponse,
    LayoutTrust,
    TrustEstimateResponse,
)
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import LARGE_RESPONSE_BYTES
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout
from living_map.rows import BLOCK_BYTES

routes = Routes("map")

MAX_TOKENS = 20_000
"""Maximum number of tokens ranked against one another in one request: a few seconds of work."""
DOUBTFUL = 0.25
"""Per-token trust below which a token's position on the map is doubtful."""
_MAX_LISTED = 1_000


@routes.get(
    "/api/runs/{run}/layouts/{step}/trust",
    pool=Pool.DEAR,
    response_model=LayoutTrust,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def get_layout_trust(
    run: RunId,
    step: StepPath,
    request: Request,
    services: ServicesDep,
    method: LayoutMethod = "umap",
    full: Annotated[bool, Query(description="Also compute it over all tokens, which takes seconds.")] = False,
) -> Response:
    """Return the trust in the newest layout of a method at or before a step; with `full`, also over all tokens, against
    the matrix of the layout's step.
    """
    reply = services.reply(request, run)
    with open_layouts(services.catalog, reply.run) as opened:
        entry = opened.newest(method, step)
    tokens = len(reply.run.vocabulary)
    if full and tokens > MAX_TOKENS:
        raise RefusedError(
            422,
            f"full trust ranks every token against every other: {tokens:,} are too many, at most "
            f"{MAX_TOKENS:,} are allowed; the layout's stored estimate includes its error",
        )
    reply.tag("trust", entry.attempt, entry.id, full, immutable=False)

    def make() -> list[bytes]:
        with open_layouts(services.catalog, reply.run) as opened:
            layout = decode_as(opened.read_frame(entry), Layout)
        return json_body(
            LayoutTrust(
                attempt=entry.attempt,
                step=entry.step,
                method=entry.method.name.lower(),
                estimate=TrustEstimateResponse(
                    trust=entry.trust,
                    trust_error=entry.trust_error,
                    recall=entry.recall,
                    sample=layout.sample,
                ),
                full=_full_trust(services, reply.run, layout) if full else None,
                doubtful=_doubtful_tokens(layout),
            )
        )

    return reply.send(LARGE_RESPONSE_BYTES + 3 * BLOCK_BYTES if full else 5 * tokens, make)


def _full_trust(services: Services, run: RunFolder, layout: Layout) -> FullTrustResponse:
    with services.catalog.open_history(run) as history:
        matrix = services.catalog.matrix_at(run, history, layout.step, nearest=False)
    trust = compute_full_trust(matrix.vectors, layout.coordinates)
    defined = math.isfinite(trust.trust)
    return FullTrustResponse(
        trust=trust.trust if defined else None,
        recall=trust.recall if defined else None,
        neighbours=trust.neighbours,
        tokens=len(layout.coordinates),
    )


def _doubtful_tokens(layout: Layout) -> DoubtfulTokens | None:
    if layout.by_token is None:
        return None
    ids = np.flatnonzero(layout.by_token < 255 * DOUBTFUL)
    least = ids[np.argsort(layout.by_token[ids], kind="stable")][:_MAX_LISTED]
    return DoubtfulTokens(below=DOUBTFUL, count=len(ids), token_ids=least.tolist())
