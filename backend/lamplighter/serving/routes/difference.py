"""The difference between two runs: a fork and its parent, two seeds, two texts."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.contract.reason import Reason
from lamplighter.differences.aligned_map import lay_out_like
from lamplighter.differences.answer import DifferenceAnswer
from lamplighter.differences.difference import ComparedRun, Ordering, assemble, choose_steps
from lamplighter.differences.matched_steps import MatchedSteps, Relation, relate
from lamplighter.differences.rows import RowsDifference
from lamplighter.exports.formats.tensor_files import npy_header
from lamplighter.runfolder.run_folder import RUN_ID_PATTERN, RunFolder
from lamplighter.runfolder.run_store import NoSuchRunError
from lamplighter.serving.reading.layout_query import open_layouts, set_version
from lamplighter.serving.reading.parameters import FORMAT, LayoutMethod, LayoutSet, RunId
from lamplighter.serving.schemas.base import StepNumber, json_body, json_response
from lamplighter.serving.schemas.vectors import DifferenceProgress, WordDistances
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.access.decision import caller_sees_text
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.content_negotiation import FRAME, JSON, NPY
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.reply import Reply
from lamplighter.web.http.response_cost import (
    FROM_PYTHON,
    LARGE_RESPONSE_BYTES,
    Pricing,
    check_json_numbers,
    estimate_memory,
)
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.layout_frames import Layout
from living_map.rows import BLOCK_BYTES

routes = Routes("differences")

OFFERED = (NPY, JSON)
MAX_NUMBERS = 1 << 26
"""Maximum size of each of the two matrices, in numbers: 256 MB, and some seconds of work."""
MAX_WORDS = 500
_COPIES = 4
"""Copies of the two matrices in memory while they are compared: shared rows, an earlier matrix, rows of length one."""
_WORD_BYTES = 300
"""Bytes of a word while the words of both are matched, with its numbers."""
_COLUMNS = ("raw", "aligned", "kept")
_HEADERS = ("X-Lamplighter-Step", "X-Lamplighter-Attempt", "X-Lamplighter-Exact", "X-Lamplighter-Other-Step")

OtherRun = Annotated[
    str,
    Query(
        alias="with",
        description="The id of the other run.",
        json_schema_extra={"pattern": f"^{RUN_ID_PATTERN}$"},
    ),
]
ClockStep = Annotated[
    StepNumber | None,
    Query(
        description="A step of the run; by default, the newest that both have. If one of them lacks it, the nearest before"
        " it that both have is used, or the first."
    ),
]
OtherStep = Annotated[
    StepNumber | None,
    Query(
        description="A step of the other run, whatever it is on the clock that both share. By default, the same on it."
    ),
]


@routes.get(
    "/api/runs/{run}/difference",
    pool=Pool.DEAR,
    response_model=DifferenceAnswer,
    answers=AnswerFacts(etag=True, errors=(409, 503), headers=_HEADERS),
)
def get_difference(
    run: RunId,
    with_: OtherRun,
    request: Request,
    services: ServicesDep,
    step: ClockStep = None,
    other_step: OtherStep = None,
    by: Annotated[
        Ordering,
        Query(
            description="The order of the words: by distance after the rotation, or without it, or by neighbours lost."
        ),
    ] = "aligned",
    limit: Annotated[int, Query(ge=1, le=MAX_WORDS, description="Maximum number of words to list.")] = 50,
    least_count: Annotated[
        int, Query(ge=0, le=0xFFFF_FFFF, description="Minimum occurrences of these in the text, if known.")
    ] = 0,
) -> Response:
    """Return the difference between a run and another at the same step of the clock that they share: losses, order,
    distances and neighbours of their common words beside what chance and time alone give, the words that changed most,
    what both say, and the first step whose records differ.
    """
    asked = _open(services, services.reply(request, run), with_, step, other_step)
    sees_text = all(caller_sees_text(request, each) for each in (asked.reply.run, asked.other))
    asked.reply.tag("difference", asked, asked.newest, by, limit, least_count, sees_text, immutable=False)

    def make() -> list[bytes]:
        with _open_pair(services, asked.reply.run, asked.other) as (one, other):
            rows = asked.measure_rows(services, one, other)
            first = None
            if other_step is None:
                first = services.differences.find_first(one, other, asked.relation)
            found = assemble(one, other, asked.relation, asked.steps, rows, first)
        return json_body(found.to_answer(by, limit, least_count, with_text=sees_text))

    return asked.reply.send(asked.cost(), make)


@routes.get(
    "/api/runs/{run}/difference/progress",
    pool=Pool.CHEAP,
    polled=True,
    pricing=Pricing.FIXED,
    response_model=DifferenceProgress,
)
def get_difference_progress(run: RunId, with_: OtherRun, services: ServicesDep) -> Response:
    """Return how far the measurement of a difference is while its clients wait. It is given up once all of them have left."""
    ids = [services.catalog.find_run(each).id for each in (run, with_)]
    return json_response(DifferenceProgress(share=services.differences.share_done(*ids)))


@routes.get(
    "/api/runs/{run}/difference/rows",
    pool=Pool.DEAR,
    response_model=WordDistances,
    answers=AnswerFacts(OFFERED, etag=True, errors=(409, 503), headers=_HEADERS),
)
def get_row_differences(
    run: RunId,
    with_: OtherRun,
    request: Request,
    services: ServicesDep,
    step: ClockStep = None,
    other_step: OtherStep = None,
    format: Annotated[Literal["npy", "json"] | None, FORMAT] = None,
) -> Response:
    """Return how far each row of the run is from that of the same word in another run: as `npy` three rows by token id,
    float32: the distance, the distance after the rotation, and the number of neighbours kept. NaN (null) where the
    other run lacks the word, or where it was not measured.
    """
    asked = _open(services, services.reply(request, run, OFFERED, format), with_, step, other_step)
    reply = asked.reply
    reply.tag("difference rows", asked, reply.form.name, immutable=False)
    check_json_numbers(reply.form, 3 * len(reply.run.vocabulary), "ask for format=npy")

    def make() -> list[bytes]:
        with _open_pair(services, reply.run, asked.other) as (one, other):
            rows = asked.measure_rows(services, one, other)
        table = np.full((3, len(reply.run.vocabulary)), np.nan, dtype=np.float32)
        table[:, rows.shared[:, 0]] = rows.raw(), rows.aligned(), rows.kept()
        if reply.form is NPY:
            return [npy_header(table.dtype, table.shape), table.tobytes()]
        columns: dict[str, Any] = dict(zip(_COLUMNS, table.tolist(), strict=True))
        return json_body(
            WordDistances(
                attempt=asked.attempts[0],
                step=asked.steps.step,
                exact=asked.steps.moved is None,
                other=asked.other.id,
                other_attempt=asked.attempts[1],
                other_step=asked.steps.other_step,
                neighbours=rows.near.nearest.shape[1],
                **columns,
            )
        )

    return reply.send(asked.cost(), make)


@routes.get(
    "/api/runs/{run}/difference/layout",
    pool=Pool.DEAR,
    answers=AnswerFacts((FRAME,), etag=True, errors=(409, 503), headers=_HEADERS),
)
def get_aligned_layout(
    run: RunId,
    with_: OtherRun,
    layout: Annotated[
        StepNumber, Query(description="The step of the run whose layout is taken, or the newest before it.")
    ],
    request: Request,
    services: ServicesDep,
    step: ClockStep = None,
    method: LayoutMethod = "umap",
    set_name: LayoutSet = "live",
) -> Response:
    """Return a layout of the other run that begins at a layout of this one, and moves only by what differs between the
    two matrices, as a layout frame of `docs/wire.md`. 422 for runs that do not come from each other, nor from one.
    """
    asked = _open(services, services.reply(request, run, (FRAME,)), with_, step, None)
    reply = asked.reply
    if asked.relation.ancestor is None:
        raise RefusedError(422, "only the maps of runs with a common origin are drawn alike")
    with open_layouts(services.catalog, reply.run, set_name) as opened:
        entry = opened.newest(method, layout)
    version = set_version(reply.run, set_name)
    reply.tag("aligned layout", asked, set_name, version, entry.id, entry.attempt, immutable=False)

    def make() -> list[bytes]:
        with open_layouts(services.catalog, reply.run, set_name) as opened:
            first = decode_as(opened.read_frame(entry), Layout)
        with _open_pair(services, reply.run, asked.other) as (one, other):
            rows = asked.measure_rows(services, one, other)
            second = other.matrix(asked.steps.other_step)
        places = lay_out_like(first.coordinates, rows, second.vectors)
        return [encode(Layout(asked.attempts[1], second.step, first.time, first.method, places))]

    return reply.send(asked.cost(), make)


@dataclass(frozen=True)
class _Question:
    """A question about two runs at their steps."""

    reply: Reply
    other: RunFolder
    relation: Relation
    steps: MatchedSteps
    attempts: tuple[int, int]
    newest: tuple[int, int]

    def __repr__(self) -> str:
        # A part of the entity tag.
        return repr((self.other.id, self.other.created, self.relation, self.steps, self.attempts))

    def measure_rows(self, services: Services, one: ComparedRun, other: ComparedRun) -> RowsDifference:
        """Return the difference of the two matrices, for as long as a client waits for it."""
        return services.differences.measure_rows(
            one, other, self.relation, self.steps, self.attempts, self.reply.require_wanted
        )

    def cost(self) -> int:
        """Return the cost of an answer that takes up to seconds, and is made once for concurrent requests."""
        size = sum(
            4 * _COPIES * _count_numbers(run) + _WORD_BYTES * len(run.vocabulary)
            for run in (self.reply.run, self.other)
        )
        return LARGE_RESPONSE_BYTES + estimate_memory(self.reply.run, size + 3 * BLOCK_BYTES)


def _open(
    services: Services, reply: Reply, with_: str, step: int | None, other_step: int | None
) -> _Question:
    """Find the other run and the steps that answer, and name these in the headers.

    Raises:
        NoSuchRunError: there is no such other run.
        NotComparableError: they have kept no step in common.
        RefusedError: one of them has not begun or has no tokens (404), or is too large (422).
        NoSnapshotError: no step at or before one that was asked for was kept.
    """
    run, other = reply.run, services.catalog.find_run(with_)
    for each in (run, other):
        services.catalog.token_table(each)
        if _count_numbers(each) > MAX_NUMBERS:
            raise RefusedError(
                422,
                f"the matrix of {each.id} is too large to be compared here: {FROM_PYTHON}",
                reason=Reason("too_large_to_compare"),
            )
    relation = relate(run, other, lambda name: _find(services, name))
    with _open_pair(services, run, other) as (one, two):
        steps = choose_steps(one, two, relation, step, other_step)
        attempts = one.attempt_at(steps.step), two.attempt_at(steps.other_step)
        newest = one.newest_step, two.newest_step
    reply.add_facts(step=steps.step, attempt=attempts[0], exact=steps.moved is None)
    reply.add_header("X-Lamplighter-Other-Step", str(steps.other_step))
    return _Question(reply, other, relation, steps, attempts, newest)


def _count_numbers(run: RunFolder) -> int:
    return len(run.vocabulary) * run.recipe.model.dim


def _find(services: Services, name: str) -> RunFolder | None:
    try:
        return services.catalog.find_run(name)
    except NoSuchRunError:
        return None


@contextmanager
def _open_pair(
    services: Services, run: RunFolder, other: RunFolder
) -> Generator[tuple[ComparedRun, ComparedRun]]:
    with _open_run(services, run) as one, _open_run(services, other) as two:
        yield one, two


@contextmanager
def _open_run(services: Services, run: RunFolder) -> Generator[ComparedRun]:
    catalog = services.catalog
    with catalog.open_history(run) as history:
        exact = services.run_index.exact_steps(run, history, history.steps.newest_step()[1])
        yield ComparedRun(
            run, history, exact, lambda step: catalog.matrix_at(run, history, step, nearest=False)
        )
