"""Displacements: how far each row of the embedding moved between two steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.exports.formats.array_headers import npy_head
from lamplighter.geometry.displacements import displacements, farthest
from lamplighter.runfolder.lineage import attempt_at
from lamplighter.runfolder.reading.matrix_history import History
from lamplighter.runfolder.reading.snapshot import NoSnapshotError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.sqlite.database import FormatError
from lamplighter.serving.http.caching import Attempt, Span, headers, span, tag, unchanged
from lamplighter.serving.http.content_negotiation import JSON, NPY, Format, choose, described
from lamplighter.serving.http.problems import Refused
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.http.streaming import answer
from lamplighter.serving.routes.snapshots import cost
from lamplighter.serving.schemas.base import Step, json_text
from lamplighter.serving.schemas.vectors import Displacement, Displacements
from lamplighter.serving.services import AHouse, House

routes = Routes("snapshots")

OFFERED = (JSON, NPY)
_SMALL_MATRIX = 1 << 20


@dataclass(frozen=True)
class _Asked:
    run: RunFolder
    span: Span
    first: int
    last: int
    most: int


@routes.get("/api/runs/{run}/displacements", response_model=Displacements, responses=described(OFFERED))
def distances_between(
    run: str,
    request: Request,
    house: AHouse,
    from_: Annotated[Step, Query(alias="from")] = 0,
    to: Step | None = None,
    nearest: bool = False,
    most: Annotated[int, Query(ge=1, le=10_000)] = 20,
    format: Annotated[Literal["json", "npy"] | None, Query()] = None,
    attempt: Attempt = None,
) -> Response:
    """Return each row's Euclidean distance between the matrices after two exactly kept steps. With `nearest`, use the
    nearest such step at or before each of the two.
    """
    form = choose(request, OFFERED, format)
    found = house.library.find(run)
    with house.library.history(found) as history:
        asked = span(found, history.steps, from_, to, attempt)
        if to is not None and from_ > to:
            raise Refused(422, f"from={from_} is after to={to}: a row's way goes forward in time")
        first, last = _steps(house, found, history, from_, to, asked.newest, nearest=nearest)
        # With `nearest` the steps compared may differ from the ones requested.
        asked = span(found, history.steps, first, last)
    # The nearest kept step can change later; a step requested exactly cannot.
    lasting = attempt is not None and not nearest
    told = headers(tag(found, "displacements", asked.line, first, last, most, form.name), lasting=lasting)
    told |= {"X-Lamplighter-From": str(first), "X-Lamplighter-Step": str(last)}
    told |= {"X-Lamplighter-Attempt": str(asked.attempt), "X-Lamplighter-Exact": "true"}
    if done := unchanged(request, told):
        return done
    matrix = 4 * len(found.vocabulary) * found.recipe.model.dim
    size = cost(found, 2 * matrix if matrix > _SMALL_MATRIX else 0)
    make = _maker(house, _Asked(found, asked, first, last, most), form)
    return answer(request, house.turnstile, make, size, told, form.media_type)


def _steps(
    house: House,
    run: RunFolder,
    history: History,
    first: int,
    last: int | None,
    newest: int,
    *,
    nearest: bool,
) -> tuple[int, int]:
    """Return the two steps, both kept exactly; without `last`, the second is the newest exact step.

    Raises:
        NoSnapshotError: one of them was not kept exactly, or has not happened yet.
    """
    exact = house.findings.exact_steps(run, history, newest)

    def kept(step: int) -> int:
        at = int(np.searchsorted(exact, step, side="right")) - 1
        before = int(exact[at]) if at >= 0 else None
        if before is None or (before != step and not nearest):
            raise NoSnapshotError(step, before)
        return before

    end = int(exact[-1]) if last is None and len(exact) else kept(newest if last is None else last)
    start = kept(first)
    if start > end:
        raise NoSnapshotError(first, end)
    return start, end


def _maker(house: House, asked: _Asked, form: Format) -> Callable[[], Iterable[bytes]]:
    def make() -> Iterable[bytes]:
        with house.library.history(asked.run) as history:
            both = [
                house.library.matrix(asked.run, history, step, nearest=False)
                for step in (asked.first, asked.last)
            ]
        for one in both:
            if one.attempt != attempt_at(asked.span.line, one.step):
                raise Refused(409, "a new attempt began while this was read: ask again")
            if one.vectors.shape != (len(asked.run.vocabulary), asked.run.recipe.model.dim):
                raise FormatError("its matrix does not fit its vocabulary and its recipe")
        found = displacements(both[0].vectors, both[1].vectors)
        if form is NPY:
            return [npy_head(found.dtype, found.shape), found.tobytes()]
        table = house.library.tokens(asked.run)
        items = [
            Displacement(
                token_id=token_id,
                token=table.text(token_id),
                class_=table.class_name(token_id),
                distance=float(found[token_id]),
            )
            for token_id in farthest(found, asked.most).tolist()
        ]
        said = Displacements(
            attempt=asked.span.attempt,
            from_=asked.first,
            to=asked.last,
            rows=len(found),
            moved=int((found > 0).sum()),
            items=items,
        )
        return [json_text(said).encode()]

    return make
