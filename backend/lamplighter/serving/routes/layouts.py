"""The map: the list of layouts, one layout, and several at once."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal
from urllib.parse import quote

import numpy as np
from fastapi import Query
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.exports.formats.array_headers import npy_head, safetensors_head
from lamplighter.runfolder.lineage import layouts_that_count, newest_layout
from lamplighter.runfolder.reading.map_settings import read_drawing
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutEntry, LayoutsReader
from lamplighter.serving.http.caching import Attempt, anything, headers, span, tag, unchanged
from lamplighter.serving.http.content_negotiation import (
    FRAME,
    JSON,
    NPY,
    SAFETENSORS,
    UNCHANGED,
    Format,
    choose,
    described,
)
from lamplighter.serving.http.problems import Refused
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.http.streaming import LARGE, answer, json_parts
from lamplighter.serving.reading.token_ids import TokenIds, chosen
from lamplighter.serving.routes.snapshots import JSON_NUMBERS
from lamplighter.serving.schemas.base import Step, as_json
from lamplighter.serving.schemas.map import BasisOf, LayoutInFull, LayoutInList, Layouts, MapInFull, Places
from lamplighter.serving.services import AHouse, House
from lamplighter.wire.frames import Layout, Method, decode_as

routes = Routes("snapshots")

OFFERED = (FRAME, JSON)
OFFERED_AT_ONCE = (NPY, JSON, SAFETENSORS, FRAME)
MOST_LAYOUTS = 5_000
MOST_BYTES = 256 << 20
_METHODS: dict[str, Method] = {"linear": Method.LINEAR, "umap": Method.UMAP}
_HEAD = 64
"""Bytes of a layout frame before its coordinates, which take four bytes a token."""
_FLOATS = np.dtype(np.float32)

SetName = Literal["live", "again"]
"""The layouts made live, or those of a finished run's reprojection."""
MethodName = Literal["linear", "umap"]
"""A view; `umap` is the map, whichever method drew it."""


@routes.get("/api/runs/{run}/map", response_model=MapInFull)
def drawing(run: str, house: AHouse) -> Response:
    """Return the map's current settings and those requested; `POST .../requests` changes them."""
    drawn = read_drawing(house.library.find(run))
    basis = None if drawn.linear is None else BasisOf(attempt=drawn.linear[0], step=drawn.linear[1])
    settled = drawn.settled and not drawn.pending
    return as_json(MapInFull(chosen=drawn.chosen, asked=drawn.asked, settled=settled, linear=basis))


@routes.get("/api/runs/{run}/layouts", response_model=Layouts, responses=UNCHANGED)
def layouts(
    run: str,
    request: Request,
    house: AHouse,
    from_: Annotated[Step, Query(alias="from")] = 0,
    to: Step | None = None,
    method: MethodName | None = None,
    after: Annotated[int, Query(ge=0, le=0x7FFF_FFFF_FFFF_FFFF)] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    of: Annotated[SetName, Query(alias="set")] = "live",
) -> Response:
    """Return the map layouts that count, of steps `from` to `to`, inclusive, in the order they were made."""
    found = house.library.find(run)
    with counting(house, found, of) as drawn:
        listed = fitting(drawn, from_, to, method, after)
    page = listed[:limit]
    following = None
    if len(listed) > limit:
        rest = f"after={page[-1].id}&limit={limit}&from={from_}"
        rest += "" if to is None else f"&to={to}"
        rest += "" if method is None else f"&method={method}"
        rest += "" if of == "live" else f"&set={of}"
        following = f"/api/runs/{quote(found.id, safe='')}/layouts?{rest}"
    told = headers(
        tag(
            found,
            "layouts",
            of,
            _made(found, of),
            [(entry.id, entry.attempt, entry.step) for entry in page],
            following,
        ),
        lasting=False,
    )
    if done := unchanged(request, told) or anything(request, told):
        return done
    items = [LayoutInList(id=entry.id, **_facts(entry)) for entry in page]
    return as_json(Layouts(items=items, next=following), headers=told)


@routes.get("/api/runs/{run}/layouts/{step}", response_model=LayoutInFull, responses=described(OFFERED))
def layout(
    run: str,
    step: Step,
    request: Request,
    house: AHouse,
    method: MethodName = "umap",
    format: Annotated[Literal["frame", "json"] | None, Query()] = None,
    attempt: Attempt = None,
    of: Annotated[SetName, Query(alias="set")] = "live",
) -> Response:
    """Return the newest layout of a method at or before a step, as a layout frame of `docs/wire.md` or as JSON. With
    `attempt`, return only the layout of exactly that step.
    """
    form = choose(request, OFFERED, format)
    found = house.library.find(run)
    if attempt is not None:
        with house.library.steps(found) as reader:
            span(found, reader, step, step, attempt)
    with counting(house, found, of) as drawn:
        entry = newest_layout(drawn.entries, _METHODS[method], step)
        if entry is None:
            raise Refused(404, f"there is no {method} layout at or before step {step} yet")
        if attempt is not None and entry.step != step:
            raise Refused(
                404,
                f"there is no {method} layout of step {step} itself: the newest before it is of step {entry.step}",
            )
        told = headers(
            tag(found, "layout", of, _made(found, of), entry.attempt, entry.id, form.name),
            lasting=attempt is not None and of == "live",
        )
        told |= {"X-Lamplighter-Step": str(entry.step), "X-Lamplighter-Attempt": str(entry.attempt)}
        if done := unchanged(request, told) or anything(request, told):
            return done
        record = drawn.record(entry)
    if form is FRAME:
        return Response(record, headers=told, media_type=FRAME.media_type)
    places = [(float(x), float(y)) for x, y in decode_as(record, Layout).coordinates]
    return as_json(LayoutInFull(**_facts(entry), coordinates=places), headers=told)


@routes.get("/api/runs/{run}/places", response_model=Places, responses=described(OFFERED_AT_ONCE))
def places(
    run: str,
    request: Request,
    house: AHouse,
    from_: Annotated[Step, Query(alias="from")] = 0,
    to: Step | None = None,
    every: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    method: MethodName = "umap",
    token_ids: TokenIds = None,
    format: Annotated[Literal["npy", "json", "safetensors", "frame"] | None, Query()] = None,
    of: Annotated[SetName, Query(alias="set")] = "live",
) -> Response:
    """Return every n-th (`every`) of a method's layouts that `GET .../layouts` lists for the same range: shape
    (L, K, 2). As `frame`, return whole layout frames of `docs/wire.md`, one after the other.
    """
    form = choose(request, OFFERED_AT_ONCE, format)
    found = house.library.find(run)
    table = house.library.tokens(found)
    ids = chosen(table, token_ids)
    if form is FRAME and ids is not None:
        raise Refused(422, "a layout frame has every token: leave token_ids out, or ask for another format")
    with counting(house, found, of) as drawn:
        entries = fitting(drawn, from_, to, method)[::every]
    if not entries:
        raise Refused(
            404, f"there is no {method} layout of these steps yet: GET .../layouts lists what there is"
        )
    told = headers(
        tag(
            found,
            "places",
            of,
            _made(found, of),
            [(e.id, e.attempt, e.step) for e in entries],
            token_ids,
            form.name,
        ),
        lasting=False,
    )
    if done := unchanged(request, told):
        return done
    count = len(table) if ids is None else len(ids)
    shape = (len(entries), count, 2)
    # A frame holds per-token trust (five bytes a token) or not (four): assume the larger size.
    size = len(entries) * (_HEAD + 5 * count) if form is FRAME else 4 * shape[0] * shape[1] * 2
    _check_size(shape, size, form)
    head = _head(found, form, entries, shape)
    length = len(head) + size if form in (NPY, SAFETENSORS) else None
    make = _maker(house, found, entries, ids, form, head, of)
    # Each layout is read whole even when only a few tokens are wanted, but the response is streamed.
    held = LARGE if max(size, 4 * len(entries) * len(table)) >= LARGE else size
    return answer(request, house.turnstile, make, held, told, form.media_type, length=length)


class Drawn:
    """The counting layouts of a run, with access to their frames."""

    def __init__(self, reader: LayoutsReader | None, entries: list[LayoutEntry]) -> None:
        self._reader = reader
        self.entries = entries

    def record(self, entry: LayoutEntry) -> bytes:
        """Return the frame of a layout.

        Raises:
            Refused: it was just thinned out (404).
        """
        try:
            assert self._reader is not None
            return self._reader.record(entry.id)
        except IndexError:
            raise Refused(404, f"the layout of step {entry.step} was just dropped: ask again") from None


@contextmanager
def counting(house: House, run: RunFolder, of: SetName = "live") -> Generator[Drawn]:
    """Open one set of a run's counting layouts; it is empty if nothing is recorded or drawn yet."""
    try:
        with house.library.steps(run) as reader:
            line = reader.line()
        opened = LayoutsReader(run.layouts_path if of == "live" else run.relayouts_path)
    except (FileNotFoundError, Refused):
        yield Drawn(None, [])
        return
    with opened:
        yield Drawn(opened, list(layouts_that_count(opened, line)))


def _made(run: RunFolder, of: SetName) -> int:
    """Return a version of the layout set, which changes when a new reprojection replaces the set."""
    if of == "live":
        return 0
    try:
        return run.relayouts_path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def fitting(
    drawn: Drawn, first: int, last: int | None, method: MethodName | None, after: int = 0
) -> list[LayoutEntry]:
    """Return the layouts of steps `first` to `last`, inclusive, by a method (None: any), with an id above `after`."""
    return [
        entry
        for entry in drawn.entries
        if entry.id > after
        and first <= entry.step
        and (last is None or entry.step <= last)
        and (method is None or entry.method.view == _METHODS[method])
    ]


def _check_size(shape: tuple[int, int, int], size: int, form: Format) -> None:
    less = "ask for fewer with from, to or every, or for fewer tokens with token_ids"
    many = f"{shape[0]:,} layouts of {shape[1]:,} tokens"
    if shape[0] > MOST_LAYOUTS:
        raise Refused(422, f"{many} are too many, at most {MOST_LAYOUTS:,} come at once: {less}")
    if size > MOST_BYTES:
        raise Refused(
            422, f"{many} are {size / 1e6:,.0f} MB, at most {MOST_BYTES / 1e6:,.0f} come at once: {less}"
        )
    if form is JSON and (numbers := 2 * shape[0] * shape[1]) > JSON_NUMBERS:
        raise Refused(422, f"{many} are {numbers:,} numbers, too many for JSON, at most {JSON_NUMBERS:,}: {less}, "
                      "or ask for format=npy")  # fmt: skip


def _head(run: RunFolder, form: Format, entries: list[LayoutEntry], shape: tuple[int, int, int]) -> bytes:
    if form is NPY:
        return npy_head(_FLOATS, shape)
    if form is not SAFETENSORS:
        return b""
    steps = np.array([entry.step for entry in entries], dtype=np.int64)
    tensors: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
        "steps": (steps.dtype, steps.shape),
        "places": (_FLOATS, shape),
    }
    method = entries[0].method.view.name.lower()
    return (
        safetensors_head(tensors, {"format": "lamplighter", "run": run.id, "method": method})
        + steps.tobytes()
    )


def _maker(
    house: House,
    run: RunFolder,
    entries: list[LayoutEntry],
    ids: NDArray[np.int64] | None,
    form: Format,
    head: bytes,
    of: SetName,
) -> Callable[[], Iterable[bytes]]:
    def coordinates() -> Iterator[NDArray[np.float32]]:
        for record in _records(run, entries, of):
            found = decode_as(record, Layout).coordinates
            yield (found if ids is None else found[ids])[np.newaxis]

    def binary() -> Iterator[bytes]:
        yield head
        for block in coordinates():
            yield block.tobytes()

    def make() -> Iterable[bytes]:
        if form is FRAME:
            return _records(run, entries, of)
        if form is JSON:
            said = {"method": entries[0].method.view.name.lower(), "steps": [entry.step for entry in entries]}
            return json_parts(said, "places", coordinates())
        return binary()

    return make


def _records(run: RunFolder, entries: list[LayoutEntry], of: SetName) -> Iterator[bytes]:
    with LayoutsReader(run.layouts_path if of == "live" else run.relayouts_path) as reader:
        drawn = Drawn(reader, entries)
        for entry in entries:
            yield drawn.record(entry)


def _facts(entry: LayoutEntry) -> dict[str, Any]:
    return {
        "attempt": entry.attempt,
        "step": entry.step,
        "method": entry.method.name.lower(),
        "trust": entry.trust,
        "trust_error": entry.trust_error,
        "recall": entry.recall,
    }
