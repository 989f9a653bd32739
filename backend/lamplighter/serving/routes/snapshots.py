"""Snapshots: the embedding at a step, and the list of keyframes and exact steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Literal
from urllib.parse import quote

import numpy as np
from fastapi import Query
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.exports.formats.token_rows import (
    TokenRows,
    as_arrow,
    as_npy,
    as_parquet,
    as_safetensors,
    as_tsv,
)
from lamplighter.exports.output import ExportError
from lamplighter.runfolder.reading.snapshot import NoSnapshotError, Snapshot
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.sqlite.database import FormatError
from lamplighter.serving.http.caching import Attempt, Span, anything, headers, span, tag, unchanged
from lamplighter.serving.http.content_negotiation import (
    ARROW,
    FRAME,
    JSON,
    NPY,
    PARQUET,
    SAFETENSORS,
    TSV,
    UNCHANGED,
    Format,
    choose,
    described,
)
from lamplighter.serving.http.problems import Refused
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.http.streaming import answer, head_only, json_parts
from lamplighter.serving.reading.token_ids import TokenIds, chosen
from lamplighter.serving.schemas.base import Step, as_json
from lamplighter.serving.schemas.vectors import Keyframe, Keyframes, Matrix
from lamplighter.serving.services import AHouse, House
from lamplighter.wire.frames import Rows, encode

routes = Routes("snapshots")

OFFERED = (FRAME, JSON, NPY, SAFETENSORS, ARROW, PARQUET, TSV)
JSON_NUMBERS = 2_000_000
_MATRIX_BYTES = 1 << 30
_LARGE_MATRIX = 32 << 20
_BLOCK = 500


@routes.get("/api/runs/{run}/snapshots", response_model=Keyframes, responses=UNCHANGED)
def snapshots(
    run: str,
    request: Request,
    house: AHouse,
    from_: Annotated[Step, Query(alias="from")] = 0,
    to: Step | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
) -> Response:
    """Return the keyframes of steps `from` to `to`, inclusive, and whether every step in that range rebuilds bit for
    bit.
    """
    found = house.library.find(run)
    with house.library.history(found) as history:
        asked = span(found, history.steps, from_, to)
        frames = history.steps.keyframe_steps()
        told = headers(
            tag(found, "snapshots", asked.line, to, limit, frames[-1:], len(frames)), lasting=False
        )
        if done := unchanged(request, told) or anything(request, told):
            return done
        first = max(asked.first, frames[0][1]) if frames else asked.first
        last = max(asked.last, 0)
        exact = house.findings.exact_steps(found, history, last)
    exact = exact[int(np.searchsorted(exact, first)) :]
    listed = [(attempt, step) for attempt, step in frames if first <= step <= last]
    following, end = None, last
    if len(listed) > limit:
        end = listed[limit][1] - 1
        rest = f"from={end + 1}&limit={limit}" + ("" if to is None else f"&to={to}")
        following = f"/api/runs/{quote(found.id, safe='')}/snapshots?{rest}"
    page = Keyframes(
        items=[Keyframe(attempt=attempt, step=step) for attempt, step in listed[:limit]],
        exact=0 < len(exact) == last - first + 1,
        stretches=_stretches(exact[: int(np.searchsorted(exact, end, side="right"))]),
        from_=first,
        to=last,
        next=following,
    )
    return as_json(page, headers=told)


@routes.get("/api/runs/{run}/snapshots/{step}", response_model=Matrix, responses=described(OFFERED))
def snapshot(
    run: str,
    step: Step,
    request: Request,
    house: AHouse,
    format: Annotated[
        Literal["frame", "json", "npy", "safetensors", "arrow", "parquet", "tsv"] | None, Query()
    ] = None,
    token_ids: TokenIds = None,
    attempt: Attempt = None,
) -> Response:
    """Return the matrix after a step, or some of its rows, in the format that `format` or `Accept` names; by default
    as a rows frame of `docs/wire.md`. All formats but `frame` and `npy` also describe the tokens.
    """
    form = choose(request, OFFERED, format)
    found = house.library.find(run)
    ids = chosen(house.library.tokens(found), token_ids)
    with house.library.history(found) as history:
        asked = span(found, history.steps, step, step, attempt)
    told = headers(tag(found, "snapshot", asked.attempt, step, form.name, token_ids), lasting=asked.lasting)
    told |= {"X-Lamplighter-Exact": "true", "X-Lamplighter-Step": str(step)}
    told |= {"X-Lamplighter-Attempt": str(asked.attempt)}
    if asked.line and (done := unchanged(request, told)):
        return done
    if head_only(request):
        _check_kept(house, found, step)
    numbers = (len(found.vocabulary) if ids is None else len(ids)) * found.recipe.model.dim
    if form is JSON and numbers > JSON_NUMBERS:
        raise Refused(
            422,
            f"{numbers:,} numbers are too many for JSON, at most {JSON_NUMBERS:,}: name some tokens with "
            "token_ids, or ask for format=npy or frame",
        )
    make = _maker(house, found, asked, ids, form)
    return answer(request, house.turnstile, make, cost(found, 4 * numbers), told, form.media_type)


def _stretches(steps: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the stretches of consecutive numbers in ascending `steps`, as (first, last)."""
    ends = np.flatnonzero(np.diff(steps) != 1)
    firsts = [0, *(ends + 1).tolist()] if len(steps) else []
    lasts = [*ends.tolist(), len(steps) - 1] if len(steps) else []
    return [(int(steps[low]), int(steps[high])) for low, high in zip(firsts, lasts, strict=True)]


def cost(run: RunFolder, size: int) -> int:
    """Return the bytes of memory that a response of `size` bytes takes: at least the matrix's, if that is large.

    Raises:
        Refused: the matrix is larger than a server should hold (422).
    """
    matrix = 4 * len(run.vocabulary) * run.recipe.model.dim
    if matrix > _MATRIX_BYTES:
        raise Refused(
            422,
            f"the matrix of {run.id} has {matrix / 1e9:.1f} GB, more than this server sends: open the run's folder "
            "from Python instead, with lamplighter.open",
        )
    return max(size, matrix if matrix > _LARGE_MATRIX else 0)


def _check_kept(house: House, run: RunFolder, step: int) -> None:
    with house.library.history(run) as history:
        exact = house.findings.exact_steps(run, history, step)
    newest = int(exact[-1]) if len(exact) else None
    if newest != step:
        raise NoSnapshotError(step, newest)


def _maker(
    house: House, run: RunFolder, asked: Span, ids: NDArray[np.int64] | None, form: Format
) -> Callable[[], Iterable[bytes]]:
    def make() -> Iterable[bytes]:
        with house.library.history(run) as history:
            matrix = house.library.matrix(run, history, asked.first, nearest=False)
        if matrix.vectors.shape != (len(run.vocabulary), run.recipe.model.dim):
            raise FormatError("its matrix does not fit its vocabulary and its recipe")
        if matrix.attempt != asked.attempt:
            raise Refused(409, "a new attempt began while this was read: ask again")
        try:
            return _parts(run, matrix, ids, form)
        except ExportError as error:
            raise Refused(501, str(error)) from error

    return make


def _parts(run: RunFolder, matrix: Snapshot, ids: NDArray[np.int64] | None, form: Format) -> Iterable[bytes]:
    size = len(matrix.vectors)
    if form is FRAME:
        # A frame's rows are sorted by id, whatever order the request named.
        rows = np.arange(size, dtype=np.uint32) if ids is None else np.sort(ids).astype(np.uint32)
        vectors = matrix.vectors if ids is None else matrix.vectors[rows]
        return [encode(Rows(matrix.attempt, matrix.step, matrix.time, size, rows, vectors))]
    facts = {
        "format": "lamplighter",
        "run": run.id,
        "attempt": str(matrix.attempt),
        "step": str(matrix.step),
    }
    vectors = np.ascontiguousarray(matrix.vectors if ids is None else matrix.vectors[ids])
    rows = TokenRows(facts, run.vocabulary, np.arange(size) if ids is None else ids, vectors)
    if form is NPY:
        return as_npy(rows)
    if form is SAFETENSORS:
        return as_safetensors(rows)
    if form is TSV:
        return as_tsv(rows)
    if form is ARROW:
        return as_arrow(rows)
    if form is PARQUET:
        return [as_parquet(rows)]
    said = {
        "attempt": matrix.attempt,
        "step": matrix.step,
        "token_ids": rows.token_ids.tolist(),
        "tokens": rows.tokens,
        "classes": rows.classes,
        "counts": rows.counts.tolist(),
    }
    return json_parts(said, "vectors", (vectors[at : at + _BLOCK] for at in range(0, len(vectors), _BLOCK)))
