"""Districts: the clusters of the embedding at a step, and the events in their history."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.runfolder.lineage import counts, districts_that_count
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.serving.http.caching import anything, headers, tag, unchanged
from lamplighter.serving.http.content_negotiation import FRAME, JSON, choose, described
from lamplighter.serving.http.problems import Refused
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.schemas.base import Items, Step, as_json
from lamplighter.serving.schemas.map import District, DistrictEvent, Districts, DistrictsInList
from lamplighter.serving.services import AHouse
from lamplighter.wire import frames

routes = Routes("snapshots")

MOST_EVENTS = 1_000


OFFERED = (JSON, FRAME)


@routes.get("/api/runs/{run}/districts", response_model=Districts, responses=described(OFFERED))
def districts(
    run: str,
    request: Request,
    house: AHouse,
    step: Step | None = None,
    format: Annotated[Literal["json", "frame"] | None, Query()] = None,
) -> Response:
    """Return the newest districts at or before a step (without `step`, the newest of all), with their tokens; as
    `frame`, a districts frame of `docs/wire.md`.
    """
    form = choose(request, OFFERED, format)
    found = house.library.find(run)
    with house.library.steps(found) as reader:
        line = reader.line()
    record, told = None, dict[str, str]()
    try:
        with LayoutsReader(found.layouts_path) as reader:
            fitting = [e for e in districts_that_count(reader, line) if step is None or e.step <= step]
            newest = max(fitting, key=lambda e: (e.step, e.id), default=None)
            if newest is not None:
                told = headers(tag(found, "districts", newest.attempt, newest.id, form.name), lasting=False)
                if done := unchanged(request, told) or anything(request, told):
                    return done
                record = reader.districts_record(newest.id)
    except (FileNotFoundError, IndexError):
        # The file does not exist yet, or the record was just thinned out.
        pass
    if record is None:
        at = "" if step is None else f" at or before step {step}"
        raise Refused(404, f"no districts were looked for{at} yet")
    if form is FRAME:
        return Response(record, headers=told, media_type=FRAME.media_type)
    frame = frames.decode_as(record, frames.Districts)
    items = [
        District(id=known, name=name, token_ids=np.flatnonzero(frame.of == place).tolist())
        for place, (known, name) in enumerate(zip(frame.ids.tolist(), frame.names, strict=True), 1)
    ]
    return as_json(Districts(items=items, attempt=frame.attempt, step=frame.step), headers=told)


@routes.get("/api/runs/{run}/districts/steps", response_model=Items[DistrictsInList])
def steps(run: str, house: AHouse) -> Response:
    """Return the steps at which districts were found, oldest first, without superseded steps."""
    found = house.library.find(run)
    if not found.steps_path.exists():
        return as_json(Items[DistrictsInList](items=[]))
    with house.library.steps(found) as reader:
        line = reader.line()
    try:
        with LayoutsReader(found.layouts_path) as reader:
            entries = list(districts_that_count(reader, line))
    except FileNotFoundError:
        entries = []
    return as_json(
        Items[DistrictsInList](items=[DistrictsInList(attempt=e.attempt, step=e.step) for e in entries])
    )


@routes.get("/api/runs/{run}/districts/events", response_model=Items[DistrictEvent])
def events(
    run: str,
    house: AHouse,
    after: Annotated[int | None, Query(ge=0, le=0x7FFF_FFFF_FFFF_FFFF)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_EVENTS)] = MOST_EVENTS,
) -> Response:
    """Return the district events, oldest first: the newest `limit`, or the first after an id. Events of superseded
    steps are left out.
    """
    found = house.library.find(run)
    if not found.steps_path.exists():
        return as_json(Items[DistrictEvent](items=[]))
    with house.library.steps(found) as reader:
        line = reader.line()
    try:
        with LayoutsReader(found.layouts_path) as reader:
            told = reader.district_events(after, limit)
    except FileNotFoundError:
        told = []
    items = [
        DistrictEvent(id=e.id, time=e.time, attempt=e.attempt, step=e.step, kind=e.kind, message=e.message)
        for e in told
        if counts(line, e.attempt, e.step)
    ]
    return as_json(Items[DistrictEvent](items=items))
