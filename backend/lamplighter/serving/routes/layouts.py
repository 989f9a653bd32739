"""The map: the list of layouts, one layout, and several at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, Literal
from urllib.parse import quote

import numpy as np
from fastapi import Query
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.exports.formats.array_headers import npy_header, safetensors_header
from lamplighter.runfolder.reading.current_map import newest_layout_entry
from lamplighter.runfolder.reading.map_settings import read_map_settings
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutEntry, LayoutsReader
from lamplighter.serving.http.caching import cache_headers, entity_tag, not_modified, not_modified_if_any
from lamplighter.serving.http.content_negotiation import (
    FRAME,
    JSON,
    NPY,
    SAFETENSORS,
    ResponseFormat,
    negotiate_format,
)
from lamplighter.serving.http.problems import RefusedError
from lamplighter.serving.http.response_cost import JSON_NUMBERS
from lamplighter.serving.http.route_table import AnswerFacts, Routes
from lamplighter.serving.http.step_range import resolve_step_range
from lamplighter.serving.http.streaming import LARGE_RESPONSE_BYTES, json_parts, respond
from lamplighter.serving.reading.layout_query import (
    METHODS,
    MOST_LAYOUTS,
    LayoutSetName,
    MethodName,
    OpenLayouts,
    open_layouts,
    select_layouts,
    set_version,
)
from lamplighter.serving.reading.parameters import (
    FORMAT,
    AttemptParam,
    FromStep,
    LayoutMethod,
    LayoutSet,
    RunId,
    StepPath,
    ToStep,
)
from lamplighter.serving.reading.token_ids import TokenIds, parse_token_ids
from lamplighter.serving.schemas.base import json_response
from lamplighter.serving.schemas.map import (
    CoordinatesResponse,
    LayoutDetails,
    Layouts,
    LayoutSummary,
    LinearBasis,
    MapSettingsResponse,
)
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout

routes = Routes("map")

OFFERED = (FRAME, JSON)
OFFERED_AT_ONCE = (NPY, JSON, SAFETENSORS, FRAME)
MOST_BYTES = 256 << 20
_HEADER_BYTES = 64
"""Bytes of a layout frame before its coordinates, which take four bytes a token."""
_FLOATS = np.dtype(np.float32)


@routes.get("/api/runs/{run}/map", response_model=MapSettingsResponse)
def get_map_settings(run: RunId, services: ServicesDep) -> Response:
    """Return the map's current settings and those requested; `POST .../requests` changes them."""
    settings = read_map_settings(services.catalog.find_run(run))
    basis = (
        None if settings.linear is None else LinearBasis(attempt=settings.linear[0], step=settings.linear[1])
    )
    settled = settings.settled and not settings.pending
    return json_response(
        MapSettingsResponse(chosen=settings.current, asked=settings.requested, settled=settled, linear=basis)
    )


@routes.get("/api/runs/{run}/layouts", response_model=Layouts, answers=AnswerFacts(etag=True))
def list_layouts(
    run: RunId,
    request: Request,
    services: ServicesDep,
    from_: FromStep = 0,
    to: ToStep = None,
    method: Annotated[MethodName | None, Query(description="The view; without it, both.")] = None,
    after: Annotated[
        int, Query(ge=0, le=0x7FFF_FFFF_FFFF_FFFF, description="An id: only layouts made after it.")
    ] = 0,
    limit: Annotated[
        int, Query(ge=1, le=10_000, description="The most layouts to return; `next` has the rest.")
    ] = 10_000,
    set_name: LayoutSet = "live",
) -> Response:
    """Return the map layouts that count, of steps `from` to `to`, inclusive, in the order they were made."""
    run_folder = services.catalog.find_run(run)
    with open_layouts(services.catalog, run_folder, set_name) as opened:
        listed = select_layouts(opened, from_, to, method, after)
    page = listed[:limit]
    next_url = None
    if len(listed) > limit:
        rest = f"after={page[-1].id}&limit={limit}&from={from_}"
        rest += "" if to is None else f"&to={to}"
        rest += "" if method is None else f"&method={method}"
        rest += "" if set_name == "live" else f"&set={set_name}"
        next_url = f"/api/runs/{quote(run_folder.id, safe='')}/layouts?{rest}"
    response_headers = cache_headers(
        entity_tag(
            run_folder,
            "layouts",
            set_name,
            set_version(run_folder, set_name),
            [(entry.id, entry.attempt, entry.step) for entry in page],
            next_url,
        ),
        immutable=False,
    )
    if done := not_modified(request, response_headers) or not_modified_if_any(request, response_headers):
        return done
    items = [LayoutSummary(id=entry.id, **_facts(entry)) for entry in page]
    return json_response(Layouts(items=items, next=next_url), headers=response_headers)


@routes.get(
    "/api/runs/{run}/layouts/{step}",
    response_model=LayoutDetails,
    answers=AnswerFacts(OFFERED, etag=True, headers=("X-Lamplighter-Step", "X-Lamplighter-Attempt")),
)
def get_layout(
    run: RunId,
    step: StepPath,
    request: Request,
    services: ServicesDep,
    method: LayoutMethod = "umap",
    format: Annotated[Literal["frame", "json"] | None, FORMAT] = None,
    attempt: AttemptParam = None,
    set_name: LayoutSet = "live",
) -> Response:
    """Return the newest layout of a method at or before a step, as a layout frame of `docs/wire.md` or as JSON. With
    `attempt`, return only the layout of exactly that step.
    """
    form = negotiate_format(request, OFFERED, format)
    run_folder = services.catalog.find_run(run)
    if attempt is not None:
        with services.catalog.open_steps(run_folder) as reader:
            resolve_step_range(run_folder, reader, step, step, attempt)
    with open_layouts(services.catalog, run_folder, set_name) as opened:
        entry = newest_layout_entry(opened.entries, METHODS[method], step)
        if entry is None:
            raise RefusedError(404, f"there is no {method} layout at or before step {step} yet")
        if attempt is not None and entry.step != step:
            raise RefusedError(
                404,
                f"there is no {method} layout of step {step} itself: the newest before it is of step {entry.step}",
            )
        response_headers = cache_headers(
            entity_tag(
                run_folder,
                "layout",
                set_name,
                set_version(run_folder, set_name),
                entry.attempt,
                entry.id,
                form.name,
            ),
            immutable=attempt is not None and set_name == "live",
        )
        response_headers |= {
            "X-Lamplighter-Step": str(entry.step),
            "X-Lamplighter-Attempt": str(entry.attempt),
        }
        if done := not_modified(request, response_headers) or not_modified_if_any(request, response_headers):
            return done
        record = opened.read_frame(entry)
    if form is FRAME:
        return Response(record, headers=response_headers, media_type=FRAME.media_type)
    coordinates = [(float(x), float(y)) for x, y in decode_as(record, Layout).coordinates]
    return json_response(LayoutDetails(**_facts(entry), coordinates=coordinates), headers=response_headers)


@routes.get(
    "/api/runs/{run}/places",
    response_model=CoordinatesResponse,
    answers=AnswerFacts(OFFERED_AT_ONCE, etag=True, errors=(503,)),
)
def get_coordinates(
    run: RunId,
    request: Request,
    services: ServicesDep,
    from_: FromStep = 0,
    to: ToStep = None,
    every: Annotated[int, Query(ge=1, le=1_000_000, description="Take every n-th layout.")] = 1,
    method: LayoutMethod = "umap",
    token_ids: TokenIds = None,
    format: Annotated[Literal["npy", "json", "safetensors", "frame"] | None, FORMAT] = None,
    set_name: LayoutSet = "live",
) -> Response:
    """Return every n-th (`every`) of a method's layouts that `GET .../layouts` lists for the same range: shape
    (L, K, 2). As `frame`, return whole layout frames of `docs/wire.md`, one after the other; they have every token,
    so `token_ids` is refused with 422.
    """
    form = negotiate_format(request, OFFERED_AT_ONCE, format)
    run_folder = services.catalog.find_run(run)
    table = services.catalog.token_table(run_folder)
    ids = parse_token_ids(table, token_ids)
    if form is FRAME and ids is not None:
        raise RefusedError(
            422, "a layout frame has every token: leave token_ids out, or ask for another format"
        )
    with open_layouts(services.catalog, run_folder, set_name) as opened:
        entries = select_layouts(opened, from_, to, method)[::every]
    if not entries:
        raise RefusedError(
            404, f"there is no {method} layout of these steps yet: GET .../layouts lists what there is"
        )
    response_headers = cache_headers(
        entity_tag(
            run_folder,
            "places",
            set_name,
            set_version(run_folder, set_name),
            [(e.id, e.attempt, e.step) for e in entries],
            token_ids,
            form.name,
        ),
        immutable=False,
    )
    if done := not_modified(request, response_headers):
        return done
    count = len(table) if ids is None else len(ids)
    shape = (len(entries), count, 2)
    # A frame holds per-token trust (five bytes a token) or not (four): assume the larger size.
    size = len(entries) * (_HEADER_BYTES + 5 * count) if form is FRAME else 4 * shape[0] * shape[1] * 2
    _check_size(shape, size, form)
    head = _file_header(run_folder, form, entries, shape)
    length = len(head) + size if form in (NPY, SAFETENSORS) else None
    make = _maker(services, run_folder, entries, ids, form, head, set_name)
    # Each layout is read whole even when only a few tokens are wanted, but the response is streamed.
    memory_bytes = (
        LARGE_RESPONSE_BYTES if max(size, 4 * len(entries) * len(table)) >= LARGE_RESPONSE_BYTES else size
    )
    return respond(
        request,
        services.response_limiter,
        make,
        memory_bytes,
        response_headers,
        form.media_type,
        length=length,
    )


def _check_size(shape: tuple[int, int, int], size: int, form: ResponseFormat) -> None:
    less = "ask for fewer with from, to or every, or for fewer tokens with token_ids"
    many = f"{shape[0]:,} layouts of {shape[1]:,} tokens"
    if shape[0] > MOST_LAYOUTS:
        raise RefusedError(422, f"{many} are too many, at most {MOST_LAYOUTS:,} come at once: {less}")
    if size > MOST_BYTES:
        raise RefusedError(
            422, f"{many} are {size / 1e6:,.0f} MB, at most {MOST_BYTES / 1e6:,.0f} come at once: {less}"
        )
    if form is JSON and (numbers := 2 * shape[0] * shape[1]) > JSON_NUMBERS:
        raise RefusedError(422, f"{many} are {numbers:,} numbers, too many for JSON, at most {JSON_NUMBERS:,}: {less}, "
                      "or ask for format=npy")  # fmt: skip


def _file_header(
    run: RunFolder, form: ResponseFormat, entries: list[LayoutEntry], shape: tuple[int, int, int]
) -> bytes:
    if form is NPY:
        return npy_header(_FLOATS, shape)
    if form is not SAFETENSORS:
        return b""
    steps = np.array([entry.step for entry in entries], dtype=np.int64)
    tensors: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
        "steps": (steps.dtype, steps.shape),
        "places": (_FLOATS, shape),
    }
    method = entries[0].method.view.name.lower()
    return (
        safetensors_header(tensors, {"format": "lamplighter", "run": run.id, "method": method})
        + steps.tobytes()
    )


def _maker(
    services: Services,
    run: RunFolder,
    entries: list[LayoutEntry],
    ids: NDArray[np.int64] | None,
    form: ResponseFormat,
    head: bytes,
    set_name: LayoutSetName,
) -> Callable[[], Iterable[bytes]]:
    def coordinates() -> Iterator[NDArray[np.float32]]:
        for record in _read_frames(run, entries, set_name):
            all_coordinates = decode_as(record, Layout).coordinates
            yield (all_coordinates if ids is None else all_coordinates[ids])[np.newaxis]

    def binary() -> Iterator[bytes]:
        yield head
        for block in coordinates():
            yield block.tobytes()

    def make() -> Iterable[bytes]:
        if form is FRAME:
            return _read_frames(run, entries, set_name)
        if form is JSON:
            facts = {
                "method": entries[0].method.view.name.lower(),
                "steps": [entry.step for entry in entries],
            }
            return json_parts(facts, "places", coordinates())
        return binary()

    return make


def _read_frames(run: RunFolder, entries: list[LayoutEntry], set_name: LayoutSetName) -> Iterator[bytes]:
    with LayoutsReader(run.layouts_path if set_name == "live" else run.relayouts_path) as reader:
        opened = OpenLayouts(reader, entries)
        for entry in entries:
            yield opened.read_frame(entry)


def _facts(entry: LayoutEntry) -> dict[str, Any]:
    return {
        "attempt": entry.attempt,
        "step": entry.step,
        "method": entry.method.name.lower(),
        "trust": entry.trust,
        "trust_error": entry.trust_error,
        "recall": entry.recall,
    }
