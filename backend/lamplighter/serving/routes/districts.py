"""Districts: the clusters of the embedding at a step, and the events in their history."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.runfolder.reading.current_map import districts_on_lineage
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.serving.http.caching import cache_headers, entity_tag, not_modified, not_modified_if_any
from lamplighter.serving.http.content_negotiation import FRAME, JSON, negotiate_format
from lamplighter.serving.http.problems import RefusedError
from lamplighter.serving.http.route_table import AnswerFacts, Routes
from lamplighter.serving.reading.parameters import AFTER, FORMAT, KeptStep, RunId
from lamplighter.serving.schemas.base import json_response
from lamplighter.serving.schemas.map import (
    District,
    DistrictEventList,
    DistrictEventResponse,
    DistrictSearch,
    DistrictSearchList,
    DistrictsResponse,
)
from lamplighter.serving.services import ServicesDep
from lamplighter.wire import frames

routes = Routes("map")

MOST_EVENTS = 1_000
OFFERED = (JSON, FRAME)


@routes.get(
    "/api/runs/{run}/districts", response_model=DistrictsResponse, answers=AnswerFacts(OFFERED, etag=True)
)
def get_districts(
    run: RunId,
    request: Request,
    services: ServicesDep,
    step: KeptStep = None,
    format: Annotated[Literal["json", "frame"] | None, FORMAT] = None,
) -> Response:
    """Return the newest districts at or before a step (without `step`, the newest of all), with their tokens; as
    `frame`, a districts frame of `docs/wire.md`.
    """
    form = negotiate_format(request, OFFERED, format)
    run_folder = services.catalog.find_run(run)
    with services.catalog.open_steps(run_folder) as reader:
        lineage = reader.lineage()
    record, response_headers = None, dict[str, str]()
    try:
        with LayoutsReader(run_folder.layouts_path) as reader:
            candidates = [e for e in districts_on_lineage(reader, lineage) if step is None or e.step <= step]
            newest = max(candidates, key=lambda e: (e.step, e.id), default=None)
            if newest is not None:
                response_headers = cache_headers(
                    entity_tag(run_folder, "districts", newest.attempt, newest.id, form.name), immutable=False
                )
                if done := not_modified(request, response_headers) or not_modified_if_any(
                    request, response_headers
                ):
                    return done
                record = reader.districts_record(newest.id)
    except (FileNotFoundError, IndexError):
        # The file does not exist yet, or the record was just thinned out.
        pass
    if record is None:
        when = "" if step is None else f" at or before step {step}"
        raise RefusedError(404, f"no districts were looked for{when} yet")
    if form is FRAME:
        return Response(record, headers=response_headers, media_type=FRAME.media_type)
    frame = frames.decode_as(record, frames.Districts)
    items = [
        District(id=district_id, name=name, token_ids=np.flatnonzero(frame.of == place).tolist())
        for place, (district_id, name) in enumerate(zip(frame.ids.tolist(), frame.names, strict=True), 1)
    ]
    return json_response(
        DistrictsResponse(items=items, attempt=frame.attempt, step=frame.step), headers=response_headers
    )


@routes.get("/api/runs/{run}/districts/steps", response_model=DistrictSearchList)
def list_district_steps(run: RunId, services: ServicesDep) -> Response:
    """Return the steps at which districts were found, oldest first, without superseded steps."""
    run_folder = services.catalog.find_run(run)
    if not run_folder.steps_path.exists():
        return json_response(DistrictSearchList(items=[]))
    with services.catalog.open_steps(run_folder) as reader:
        lineage = reader.lineage()
    try:
        with LayoutsReader(run_folder.layouts_path) as reader:
            entries = list(districts_on_lineage(reader, lineage))
    except FileNotFoundError:
        entries = []
    return json_response(
        DistrictSearchList(items=[DistrictSearch(attempt=e.attempt, step=e.step) for e in entries])
    )


@routes.get("/api/runs/{run}/districts/events", response_model=DistrictEventList)
def list_district_events(
    run: RunId,
    services: ServicesDep,
    after: Annotated[int | None, AFTER] = None,
    limit: Annotated[
        int, Query(ge=1, le=MOST_EVENTS, description="The most events to return.")
    ] = MOST_EVENTS,
) -> Response:
    """Return the district events, oldest first: the newest `limit`, or the first after an id. Events of superseded
    steps are left out.
    """
    run_folder = services.catalog.find_run(run)
    if not run_folder.steps_path.exists():
        return json_response(DistrictEventList(items=[]))
    with services.catalog.open_steps(run_folder) as reader:
        lineage = reader.lineage()
    try:
        with LayoutsReader(run_folder.layouts_path) as reader:
            records = reader.district_events(after, limit)
    except FileNotFoundError:
        records = []
    items = [
        DistrictEventResponse(
            id=e.id, time=e.time, attempt=e.attempt, step=e.step, kind=e.kind, message=e.message
        )
        for e in records
        if lineage.counts(e.attempt, e.step)
    ]
    return json_response(DistrictEventList(items=items))
