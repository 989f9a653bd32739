"""The map: the list of layouts, one layout, several at once, and the jobs that lay out a step again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import numpy as np
from fastapi import Query
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.contract.sentences import say
from lamplighter.runfolder.reading.current_map import read_map_settings
from lamplighter.runfolder.reading.output_matrix import explain_no_output_map, list_output_points
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutEntry
from lamplighter.serving.jobs.reprojections import MAX_LISTED, ReprojectionJob
from lamplighter.serving.reading.layout_query import (
    LayoutSetName,
    MethodName,
    layout_ids,
    open_layouts,
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
from lamplighter.serving.reading.token_histories import StreamedArray
from lamplighter.serving.reading.token_table import TokenIds, parse_token_ids
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.map import (
    CoordinatesResponse,
    LayoutDetails,
    LayoutList,
    LayoutSummary,
    LinearBasis,
    MapSettingsResponse,
    NewReprojection,
    Reprojection,
)
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.content_negotiation import FRAME, JSON, NPY, SAFETENSORS, ResponseFormat
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.reply import Reply
from lamplighter.web.http.response_cost import (
    BOUNDED_COST,
    LARGE_RESPONSE_BYTES,
    LIST_ENTRY_BYTES,
    TOKEN_ENTRY_BYTES,
    Pricing,
    check_bytes,
    check_json_numbers,
    streaming_cost,
)
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.web.http.step_range import resolve_step_range
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout

routes = Routes("map")

OFFERED = (FRAME, JSON)
OFFERED_AT_ONCE = (NPY, JSON, SAFETENSORS, FRAME)
MAX_BYTES = 256 << 20
_HEADER_BYTES = 64
"""Bytes of a layout frame before its coordinates, which take four bytes per token."""


@routes.get("/api/runs/{run}/map", polled=True, pool=Pool.CHEAP, response_model=MapSettingsResponse)
def get_map_settings(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the map's current and requested settings; `POST .../requests` changes them."""
    reply = services.reply(request, run)

    def make() -> list[bytes]:
        settings = read_map_settings(reply.run)
        basis = (
            None
            if settings.linear is None
            else LinearBasis(attempt=settings.linear[0], step=settings.linear[1])
        )
        settled = settings.settled and not settings.pending
        return json_body(
            MapSettingsResponse(
                chosen=settings.current, asked=settings.requested, settled=settled, linear=basis
            )
        )

    return reply.send(BOUNDED_COST, make)


@routes.get(
    "/api/runs/{run}/layouts",
    pool=Pool.CHEAP,
    response_model=LayoutList,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def list_layouts(
    run: RunId,
    request: Request,
    services: ServicesDep,
    from_: FromStep = 0,
    to: ToStep = None,
    method: Annotated[MethodName | None, Query(description="The view; by default, both.")] = None,
    after: Annotated[
        int, Query(ge=0, le=0x7FFF_FFFF_FFFF_FFFF, description="An id: only later layouts are returned.")
    ] = 0,
    limit: Annotated[
        int, Query(ge=1, le=10_000, description="Maximum number of layouts to return; `next` has the rest.")
    ] = 10_000,
    set_name: LayoutSet = "live",
) -> Response:
    """Return the current map layouts of steps `from` to `to`, inclusive, in the order of creation."""
    reply = services.reply(request, run)
    with open_layouts(services.catalog, reply.run, set_name) as opened:
        listed = list(islice(opened.select(from_, to, method, after), limit + 1))
    page = listed[:limit]
    next_url = None
    if len(listed) > limit:
        rest = f"after={page[-1].id}&limit={limit}&from={from_}"
        rest += "" if to is None else f"&to={to}"
        rest += "" if method is None else f"&method={method}"
        rest += "" if set_name == "live" else f"&set={set_name}"
        next_url = f"/api/runs/{quote(reply.run.id, safe='')}/layouts?{rest}"
    version = set_version(reply.run, set_name)
    reply.tag("layouts", set_name, version, layout_ids(page), next_url, immutable=False)

    def make() -> list[bytes]:
        items = [LayoutSummary(id=entry.id, **_facts(entry)) for entry in page]
        return json_body(LayoutList(items=items, next=next_url))

    return reply.send(LIST_ENTRY_BYTES * len(page), make)


@routes.get(
    "/api/runs/{run}/layouts/{step}",
    pool=Pool.CHEAP,
    response_model=LayoutDetails,
    answers=AnswerFacts(
        OFFERED, etag=True, errors=(503,), headers=("X-Lamplighter-Step", "X-Lamplighter-Attempt")
    ),
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
    reply = services.reply(request, run, OFFERED, format)
    if attempt is not None:
        with services.catalog.open_steps(reply.run) as reader:
            resolve_step_range(reply.run, reader, step, step, attempt)
    with open_layouts(services.catalog, reply.run, set_name) as opened:
        entry = opened.newest(method, step)
        if attempt is not None and entry.step != step:
            raise RefusedError(
                404,
                f"step {step} itself has no {method} layout: the newest before it is of step {entry.step}",
            )
        version = set_version(reply.run, set_name)
        reply.tag(
            "layout",
            set_name,
            version,
            entry.attempt,
            entry.id,
            reply.form.name,
            immutable=attempt is not None and set_name == "live",
        )
        reply.add_facts(step=entry.step, attempt=entry.attempt)

    def make() -> list[bytes]:
        with open_layouts(services.catalog, reply.run, set_name) as opened:
            record = opened.read_frame(entry)
        if reply.form is FRAME:
            return [record]
        coordinates = [(float(x), float(y)) for x, y in decode_as(record, Layout).coordinates]
        return json_body(LayoutDetails(**_facts(entry), coordinates=coordinates))

    each = 5 if reply.form is FRAME else 2 * TOKEN_ENTRY_BYTES
    return reply.send(each * len(reply.run.vocabulary), make)


@routes.get(
    "/api/runs/{run}/places",
    pool=Pool.CHEAP,
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
    """Return every n-th (`every`) of a method's layouts that `GET .../layouts` lists for the same range: shape (L, K,
    2). As `frame`, return complete layout frames of `docs/wire.md`, concatenated; they have every token, so `token_ids`
    is refused with 422.
    """
    reply = services.reply(request, run, OFFERED_AT_ONCE, format)
    table = services.catalog.token_table(reply.run)
    ids = parse_token_ids(table, token_ids)
    if reply.form is FRAME and ids is not None:
        raise RefusedError(
            422, "a layout frame has every token: leave token_ids out, or ask for another format"
        )
    with open_layouts(services.catalog, reply.run, set_name) as opened:
        entries = opened.select_every(from_, to, method, every)
    version = set_version(reply.run, set_name)
    reply.tag("places", set_name, version, layout_ids(entries), token_ids, reply.form.name, immutable=False)
    coordinates = StreamedArray(
        "places",
        (len(entries), len(table) if ids is None else len(ids), 2),
        {"steps": np.array([entry.step for entry in entries], dtype=np.int64)},
        {"method": entries[0].method.view.name.lower()},
        reply.run.id,
    )
    size = _check_size(coordinates, reply.form)
    # Each layout is read in full even for a few tokens.
    slow = 4 * len(entries) * len(table) >= LARGE_RESPONSE_BYTES

    def make() -> Iterable[bytes]:
        records = _read_frames(services, reply.run, entries, set_name)
        return records if reply.form is FRAME else coordinates.parts(reply.form, _coordinates(records, ids))

    return reply.send(streaming_cost(size, slow=slow), make, length=coordinates.length(reply.form))


def _check_size(coordinates: StreamedArray, form: ResponseFormat) -> int:
    """Return the bytes of some layouts.

    Raises:
        RefusedError: there are too many, or they are too large (422).
    """
    layouts, tokens, _ = coordinates.shape
    less = "ask for fewer with from, to or every, or for fewer tokens with token_ids"
    many = f"{layouts:,} layouts of {tokens:,} tokens"
    # A frame holds per-token trust (five bytes a token) or not (four): assume the larger size.
    size = layouts * (_HEADER_BYTES + 5 * tokens) if form is FRAME else 8 * layouts * tokens
    check_bytes(many, size, MAX_BYTES, less)
    check_json_numbers(form, 2 * layouts * tokens, f"{less}, or ask for format=npy", what=many)
    return size


def _read_frames(
    services: Services, run: RunFolder, entries: list[LayoutEntry], set_name: LayoutSetName
) -> Iterator[bytes]:
    with open_layouts(services.catalog, run, set_name) as opened:
        for entry in entries:
            yield opened.read_frame(entry)


def _coordinates(records: Iterator[bytes], ids: NDArray[np.int64] | None) -> Iterator[NDArray[np.float32]]:
    for record in records:
        coordinates = decode_as(record, Layout).coordinates
        yield (coordinates if ids is None else coordinates[ids])[np.newaxis]


def _facts(entry: LayoutEntry) -> dict[str, Any]:
    return {
        "attempt": entry.attempt,
        "step": entry.step,
        "method": entry.method.name.lower(),
        "trust": entry.trust,
        "trust_error": entry.trust_error,
        "recall": entry.recall,
    }


@routes.post(
    "/api/runs/{run}/reprojection",
    status_code=202,
    response_model=Reprojection,
    answers=AnswerFacts(errors=(507,)),
)
def start_reprojection(
    run: RunId, body: NewReprojection, request: Request, services: ServicesDep
) -> Response:
    """Start to lay out a finished run again, using past and future steps; the live layouts are kept. 409 while another
    reprojection is running.
    """
    reply = services.reply(request, run, status=202)
    if not services.catalog.status(reply.run).phase.has_ended:
        raise RefusedError(409, say("map_not_over"))
    job = services.reprojection_jobs.start(reply.run, body.slices)
    return _describe(reply, job, reply.run.relayouts_path)


@routes.get("/api/runs/{run}/reprojection", pool=Pool.CHEAP, polled=True, response_model=Reprojection)
def get_reprojection(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the progress of a run's reprojection, and the layouts of an earlier one."""
    reply = services.reply(request, run)
    job = services.reprojection_jobs.for_run(reply.run)
    return _describe(reply, job, reply.run.relayouts_path)


@routes.delete("/api/runs/{run}/reprojection", pricing=Pricing.FIXED, status_code=204)
def cancel_reprojection(run: RunId, services: ServicesDep) -> Response:
    """Cancel the reprojection. The layouts of an earlier one are kept."""
    services.reprojection_jobs.cancel(services.catalog.find_run(run).id)
    return Response(status_code=204)


@routes.post(
    "/api/runs/{run}/output-map",
    status_code=202,
    response_model=Reprojection,
    answers=AnswerFacts(errors=(507,)),
)
def start_output_map(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Start to lay out the output matrix of a running or finished run at its waypoints. An existing layout stays until
    the new one is complete. 409 while another is being laid out, or if there is nothing to lay out.
    """
    reply = services.reply(request, run, status=202)
    with services.catalog.open_steps(reply.run) as reader:
        reason = explain_no_output_map(reply.run, list_output_points(reply.run, reader))
    if reason:
        raise RefusedError(409, reason)
    job = services.output_map_jobs.start(reply.run, None)
    return _describe(reply, job, reply.run.output_layouts_path)


@routes.get("/api/runs/{run}/output-map", pool=Pool.CHEAP, polled=True, response_model=Reprojection)
def get_output_map(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the progress of the output matrix's layout, and earlier layouts."""
    reply = services.reply(request, run)
    job = services.output_map_jobs.for_run(reply.run)
    return _describe(reply, job, reply.run.output_layouts_path)


@routes.delete("/api/runs/{run}/output-map", pricing=Pricing.FIXED, status_code=204)
def cancel_output_map(run: RunId, services: ServicesDep) -> Response:
    """Cancel the layout of the output matrix. Earlier layouts are kept."""
    services.output_map_jobs.cancel(services.catalog.find_run(run).id)
    return Response(status_code=204)


def _describe(reply: Reply, job: ReprojectionJob, path: Path) -> Response:
    """Return a job as an answer, with the layouts in its output file."""
    return reply.send(LIST_ENTRY_BYTES * MAX_LISTED, lambda: json_body(job.describe(path)))
