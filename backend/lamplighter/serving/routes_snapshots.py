"""The embedding at a step, and the map at a step."""

from __future__ import annotations

import io
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.runfolder.layouts import LayoutEntry, LayoutsReader
from lamplighter.runfolder.line import layouts_that_count, newest_layout
from lamplighter.runfolder.snapshots import Snapshot
from lamplighter.runfolder.steps import StepsReader
from lamplighter.serving.house import AHouse
from lamplighter.serving.problems import Refused
from lamplighter.serving.routing import Routes
from lamplighter.serving.shapes import (
    Items,
    Keyframe,
    Keyframes,
    LayoutFacts,
    LayoutInFull,
    Matrix,
    Step,
    as_json,
)
from lamplighter.wire.frames import FrameError, Layout, Method, Rows, decode, encode

routes = Routes("snapshots")

_FRAME = "application/octet-stream"
_JSON_NUMBERS = 2_000_000
_METHODS: dict[str, Method] = {"linear": Method.LINEAR, "umap": Method.UMAP}
_BINARY = {200: {"content": {_FRAME: {"schema": {"type": "string", "format": "binary"}}}}}


@routes.get("/api/runs/{run}/snapshots", response_model=Keyframes)
def snapshots(run: str, house: AHouse) -> Response:
    """The keyframes, and whether every step between them rebuilds bit for bit."""
    with house.library.steps(house.library.find(run)) as reader:
        found = reader.keyframe_steps()
        last = reader.last()[1]
        first = found[0][1] if found else 0
        exact = bool(found) and reader.rows_count(first + 1, last) == last - first
    items = [Keyframe(attempt=attempt, step=step) for attempt, step in found]
    return as_json(Keyframes(items=items, exact=exact, from_=first, to=last))


@routes.get("/api/runs/{run}/snapshots/{step}", response_model=Matrix, responses=_BINARY)
def snapshot(
    run: str,
    step: Step,
    request: Request,
    house: AHouse,
    format: Annotated[Literal["frame", "npy", "json"], Query()] = "frame",
) -> Response:
    """The matrix after a step: a rows frame of `docs/wire.md`, an `npy` file, or JSON."""
    with house.library.history(house.library.find(run)) as history:
        found = house.library.matrix(house.library.find(run), history, step, nearest=False)
        tag = f'"{found.attempt}-{_attempt(history.steps)}-{found.step}-{format}"'
    # A finished step of an attempt never changes; a new attempt changes the tag.
    headers = {"ETag": tag, "X-Lamplighter-Exact": "true", "X-Lamplighter-Step": str(found.step)}
    if tag in [part.strip() for part in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    if format == "json":
        if found.vectors.size > _JSON_NUMBERS:
            raise Refused(
                422, f"{found.vectors.size:,} numbers are too many for JSON; ask for format=npy or frame"
            )
        return as_json(
            Matrix(attempt=found.attempt, step=found.step, vectors=found.vectors.tolist()), headers=headers
        )
    return Response(_bytes(found, format), headers=headers, media_type=_FRAME)


@routes.get("/api/runs/{run}/layouts", response_model=Items[LayoutFacts])
def layouts(run: str, house: AHouse) -> Response:
    """The layouts of the map that count, in the order they were made."""
    found = house.library.find(run)
    try:
        with house.library.steps(found) as reader, LayoutsReader(found.layouts_path) as drawn:
            entries = list(layouts_that_count(drawn, reader.line()))
    except FileNotFoundError:
        entries = []
    return as_json(Items[LayoutFacts](items=[LayoutFacts(**_facts(entry)) for entry in entries]))


@routes.get("/api/runs/{run}/layouts/{step}", response_model=LayoutInFull, responses=_BINARY)
def layout(
    run: str,
    step: Step,
    house: AHouse,
    method: Annotated[Literal["linear", "umap"], Query()] = "umap",
    format: Annotated[Literal["frame", "json"], Query()] = "frame",
) -> Response:
    """The newest layout of a method at or before a step: a layout frame of `docs/wire.md`, or JSON."""
    found = house.library.find(run)
    entry = record = None
    try:
        with house.library.steps(found) as reader, LayoutsReader(found.layouts_path) as drawn:
            entry = newest_layout(layouts_that_count(drawn, reader.line()), _METHODS[method], step)
            record = drawn.record(entry.id) if entry else None
    except FileNotFoundError:
        pass
    if entry is None or record is None:
        raise Refused(404, f"there is no {method} layout at or before step {step} yet")
    headers = {"ETag": f'"{entry.attempt}-{entry.id}-{format}"', "X-Lamplighter-Step": str(entry.step)}
    if format == "frame":
        return Response(record, headers=headers, media_type=_FRAME)
    frame = decode(record)
    if not isinstance(frame, Layout):
        raise FrameError("a layout's record is not a layout")
    places = [(float(x), float(y)) for x, y in frame.coordinates]
    return as_json(LayoutInFull(**_facts(entry), coordinates=places), headers=headers)


def _facts(entry: LayoutEntry) -> dict[str, Any]:
    return {
        "attempt": entry.attempt,
        "step": entry.step,
        "method": entry.method.name.lower(),
        "trust": entry.trust,
        "trust_error": entry.trust_error,
        "recall": entry.recall,
    }


def _attempt(reader: StepsReader) -> int:
    return reader.last()[0]


def _bytes(found: Snapshot, format: str) -> bytes:
    if format == "npy":
        file = io.BytesIO()
        np.save(file, found.vectors, allow_pickle=False)
        return file.getvalue()
    size = len(found.vectors)
    ids = np.arange(size, dtype=np.uint32)
    return encode(Rows(found.attempt, found.step, found.time, size, ids, found.vectors))
