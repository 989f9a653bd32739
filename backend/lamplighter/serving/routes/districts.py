"""Districts: the clusters of the embedding at a step, and the events in their history; and how far the map is to be trusted."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.contract.sentences import say
from lamplighter.geometry.trust import compute_full_trust
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.reading.layout_query import open_layouts, open_layouts_on
from lamplighter.serving.reading.parameters import AFTER, FORMAT, KeptStep, LayoutMethod, RunId, StepPath
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.map import (
    District,
    DistrictEventList,
    DistrictSearch,
    DistrictSearchList,
    DistrictsResponse,
    DoubtfulTokens,
    FullTrustResponse,
    LayoutTrust,
    TrustEstimateResponse,
)
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.content_negotiation import FRAME, JSON
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import (
    EVENT_BYTES,
    LARGE_RESPONSE_BYTES,
    LIST_ENTRY_BYTES,
    TOKEN_ENTRY_BYTES,
)
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.wire import frames
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout
from living_map.rows import BLOCK_BYTES

routes = Routes("map")

MAX_EVENTS = 1_000
OFFERED = (JSON, FRAME)


@routes.get(
    "/api/runs/{run}/districts",
    pool=Pool.CHEAP,
    response_model=DistrictsResponse,
    answers=AnswerFacts(OFFERED, etag=True, errors=(503,)),
)
def get_districts(
    run: RunId,
    request: Request,
    services: ServicesDep,
    step: KeptStep = None,
    format: Annotated[Literal["json", "frame"] | None, FORMAT] = None,
) -> Response:
    """Return the newest districts at or before `step` (by default, the newest of all), with their tokens; as `frame`, a
    districts frame of `docs/wire.md`.
    """
    reply = services.reply(request, run, OFFERED, format)
    with (
        services.catalog.open_steps(reply.run) as reader,
        open_layouts_on(reply.run, reader.lineage()) as opened,
    ):
        candidates = (entry for entry in opened.districts() if step is None or entry.step <= step)
        newest = max(candidates, key=lambda entry: (entry.step, entry.id), default=None)
        if newest is None:
            raise RefusedError(404, say("no_districts"))
        reply.tag("districts", newest.attempt, newest.id, reply.form.name, immutable=False)

    def make() -> list[bytes]:
        with open_layouts(services.catalog, reply.run) as opened:
            try:
                record = opened.read_districts(newest)
            except IndexError:
                raise RefusedError(404, say("no_districts")) from None
        return [record] if reply.form is FRAME else json_body(_to_schema(record))

    each = 2 if reply.form is FRAME else TOKEN_ENTRY_BYTES
    return reply.send(each * len(reply.run.vocabulary), make)


@routes.get("/api/runs/{run}/districts/steps", pool=Pool.CHEAP, response_model=DistrictSearchList)
def list_district_steps(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the steps at which districts were found, oldest first, without superseded steps."""
    reply = services.reply(request, run)
    with open_layouts(services.catalog, reply.run) as opened:
        cost = LIST_ENTRY_BYTES * sum(1 for _ in opened.districts())

    def make() -> list[bytes]:
        with open_layouts(services.catalog, reply.run) as opened:
            found = [DistrictSearch(attempt=e.attempt, step=e.step) for e in opened.districts()]
        return json_body(DistrictSearchList(items=found))

    return reply.send(cost, make)


@routes.get("/api/runs/{run}/districts/events", pool=Pool.CHEAP, response_model=DistrictEventList)
def list_district_events(
    run: RunId,
    request: Request,
    services: ServicesDep,
    after: Annotated[int | None, AFTER] = None,
    limit: Annotated[
        int, Query(ge=1, le=MAX_EVENTS, description="Maximum number of events to return.")
    ] = MAX_EVENTS,
) -> Response:
    """Return the district events, oldest first: the newest `limit`, or the first after an id. Events of superseded
    steps are omitted.
    """
    reply = services.reply(request, run)

    def make() -> list[bytes]:
        with open_layouts(services.catalog, reply.run) as opened:
            return json_body(DistrictEventList(items=opened.district_events(after, limit)))

    return reply.send(EVENT_BYTES * limit, make)


def _to_schema(record: bytes) -> DistrictsResponse:
    frame = frames.decode_as(record, frames.Districts)
    items = [
        District(id=district_id, name=name, token_ids=np.flatnonzero(frame.of == place).tolist())
        for place, (district_id, name) in enumerate(zip(frame.ids.tolist(), frame.names, strict=True), 1)
    ]
    return DistrictsResponse(items=items, attempt=frame.attempt, step=frame.step)


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
