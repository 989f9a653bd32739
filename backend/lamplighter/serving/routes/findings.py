"""Findings about a run: the steps that stand out, and at which its curves turn; the board of 28 statements about learning;
its cost: energy, arithmetic, bytes, and the same at other model sizes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.claims.board import list_board_questions, make_board
from lamplighter.claims.control import find_other_seed, gather_with_control, read_control
from lamplighter.claims.gathering import read_moment
from lamplighter.contract.sentences import say
from lamplighter.cost.run_cost import cost_steps, read_run_cost
from lamplighter.outliers.answer import OutlyingSteps, StepCause, TurningPoints
from lamplighter.outliers.reading import MAX_LISTED, explain, find_outlying_steps
from lamplighter.outliers.step_figures import MAX_JUDGED
from lamplighter.outliers.turning_points import (
    MAX_CURVES,
    MAX_READ,
    choose_extent,
    find_turning_points,
)
from lamplighter.runfolder.reading.spent_energy import RunEnergy
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.shared_steps import SharedStep, read_shared_step
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.serving.reading.board_price import price_board
from lamplighter.serving.reading.parameters import FromStep, RunId, StepPath, ToStep
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.claims import ClaimBoard, describe_board
from lamplighter.serving.schemas.cost import Cost
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import LARGE_RESPONSE_BYTES, LIST_ENTRY_BYTES
from lamplighter.web.http.route_table import AnswerFacts, Routes
from lamplighter.web.http.step_range import resolve_step_range

routes = Routes("steps")

_FIGURE_BYTES = 24
"""Bytes of the figures of a step while it is judged."""
_VALUE_BYTES = 100
"""Bytes of a value of a curve while it is judged."""


@routes.get(
    "/api/runs/{run}/outliers",
    pool=Pool.DEAR,
    response_model=OutlyingSteps,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def list_outliers(
    run: RunId,
    request: Request,
    services: ServicesDep,
    from_: FromStep = 1,
    to: ToStep = None,
    limit: Annotated[
        int, Query(ge=1, le=MAX_LISTED, description="Maximum number of steps to list.")
    ] = MAX_LISTED,
) -> Response:
    """Return the steps that stand out from those around them, by their loss, gradient norm or number of moved rows: of
    `from` to `to`, inclusive, the last 20,000 are judged.
    """
    reply = services.reply(request, run)
    with services.catalog.open_steps(reply.run) as reader:
        range_ = resolve_step_range(reply.run, reader, max(1, from_), to, None)
    reply.tag("outliers", range_.lineage, range_.first, range_.last, limit, immutable=range_.immutable)
    judged = min(MAX_JUDGED, range_.last - range_.first + 1)
    return reply.send(
        _FIGURE_BYTES * judged + LIST_ENTRY_BYTES * limit,
        lambda: json_body(find_outlying_steps(reply.run, range_.first, range_.last, limit)),
    )


@routes.get(
    "/api/runs/{run}/outliers/{step}",
    pool=Pool.DEAR,
    response_model=StepCause,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def get_outlier(run: RunId, step: StepPath, request: Request, services: ServicesDep) -> Response:
    """Return what was in a step, whether it stands out or not: its figures beside what was expected, the predictions with
    the largest losses, the rows that moved farthest and their neighbourhoods, each beside what is usual around it.
    """
    reply = services.reply(request, run)
    with services.catalog.open_steps(reply.run) as reader:
        newest = reader.newest_step()
    reply.tag("outlier", newest, immutable=False)

    def make() -> list[bytes]:
        try:
            return json_body(explain(reply.run, step))
        except LookupError:
            raise RefusedError(404, say("step_not_recorded", step=step, last=newest[1])) from None

    return reply.send(_FIGURE_BYTES * MAX_JUDGED, make)


@routes.get(
    "/api/runs/{run}/turning-points",
    pool=Pool.DEAR,
    response_model=TurningPoints,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def list_turning_points(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the steps at which the curves of a run turn: where one that only slowed down speeds up, or goes the other way.
    A run in training is judged up to a step that grows by a sixteenth to an eighth at a time.
    """
    reply = services.reply(request, run)
    with services.catalog.open_steps(reply.run) as reader:
        extent = choose_extent(reply.run, reader)
    reply.tag("turning-points", extent, immutable=False)
    return reply.send(
        _VALUE_BYTES * MAX_READ * MAX_CURVES, lambda: json_body(find_turning_points(reply.run, extent))
    )


@routes.get(
    "/api/runs/{run}/claims",
    tags=["claims"],
    polled=True,
    pool=Pool.DEAR,
    response_model=ClaimBoard,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def list_claims(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return 28 statements about learning, each with its numbers on this run, their null values, the state derived by a
    rule, and the same for the control, if there is one; and the questions for the model that they wait for. Asks no
    question. While the run or its control trains, the board is updated every 100 steps, and after each new measure or
    answer.
    """
    reply = services.reply(request, run)
    if not reply.run.is_prepared:
        raise RefusedError(404, say("run_without_claims", run=reply.run.id))
    moment, control = read_moment(reply.run), read_control(reply.run)
    other_seed = find_other_seed(reply.run, moment.step)
    reply.tag("claims", moment, control and control.key, other_seed and other_seed.id, immutable=False)

    def make() -> list[bytes]:
        evidence = gather_with_control(reply.run, services.claim_figures, moment, control, other_seed)
        questions = list_board_questions(evidence, moment.lineage)
        return json_body(describe_board(evidence, make_board(evidence), questions, control))

    price = price_board(reply.run, moment)
    if control is not None:
        # It has as many rows of the same width; reading its own vocabulary would be slow.
        price += price_board(reply.run, control.moment)
    # As a large response it is made once for all concurrent requests.
    return reply.send(LARGE_RESPONSE_BYTES + price, make)


@routes.get(
    "/api/runs/{run}/cost",
    tags=["runs"],
    polled=True,
    pool=Pool.CHEAP,
    response_model=Cost,
    answers=AnswerFacts(etag=True, errors=(503,)),
)
def get_cost(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the cost of a run so far: energy with the method and its error, floating-point operations and bytes of a
    step by formula, a curve of cost and loss, and models of other sizes. Unknown values are null.
    """
    reply = services.reply(request, run)
    # 404 before the corpus is read.
    services.catalog.token_table(reply.run)
    with services.catalog.open_steps(reply.run) as reader:
        attempt, newest = reader.newest_step()
        steps = cost_steps(newest, reply.run.recipe.cadence.keyframe_every)
        size = sum(reader.pulse_sizes(steps))
        now = (attempt, newest, reader.newest_energy(1), str(reader.phase()))
    measured = None
    with suppress(FileNotFoundError), MeasuresReader(reply.run.measures_path) as measures:
        measured = measures.size()
    reply.tag("cost", now, measured, immutable=False)
    return reply.send(
        size + LIST_ENTRY_BYTES * len(steps), lambda: json_body(_read(services, reply.run, steps))
    )


def _read(services: Services, run: RunFolder, steps: list[int]) -> Cost:
    with services.catalog.open_steps(run) as reader:
        cost = read_run_cost(run, reader, steps)
        lineage = reader.lineage()
    fields = dict(vars(cost))
    shared = read_shared_step(run, lineage, cost.step) if lineage else None
    fields["shared"] = None if shared is None else _describe_shared(cost.step, shared)
    watts_now = fields.pop("watts_now")
    fields["energy"] = None if cost.energy is None else _describe_energy(cost.energy, watts_now)
    return Cost.model_validate(fields)


def _describe_energy(energy: RunEnergy, watts_now: float | None) -> dict[str, object]:
    spent, method, error = energy.spent, energy.used.method, energy.error
    return {
        "method": method.name,
        "measured": energy.measured,
        "mixed": energy.used.mixed,
        "without_card": method.without_card,
        "watts_assumed": method.watts,
        "error": None if error is None else asdict(error),
        "joules": spent.joules,
        "processor_seconds": spent.processor_seconds,
        "seconds": spent.seconds,
        "computed": spent.steps,
        "since": energy.since,
        "step": energy.step,
        "joules_per_step": spent.joules / spent.steps if spent.steps else None,
        "watts_mean": spent.joules / spent.seconds if spent.seconds else None,
        "watts_now": watts_now,
    }


def _describe_shared(step: int, shared: SharedStep) -> dict[str, object]:
    exchange, split = shared.exchange, shared.split
    expected = split.expected_bytes(exchange)
    owned = zip(split.owners, split.columns, exchange.worked, exchange.waited, shared.slowest, strict=True)
    return {
        "step": step,
        "processes": [
            {
                "offset": offset,
                "rows": rows,
                "columns": columns,
                "worked": worked,
                "waited": waited,
                "slowest": slowest,
            }
            for (offset, rows), columns, worked, waited, slowest in owned
        ],
        "bytes": [
            {
                "kind": kind,
                "bytes": size,
                "formula": split.formulas.get(kind),
                "expected": expected.get(kind),
            }
            for kind, size in exchange.bytes.items()
        ],
        "steps": shared.steps,
        "lagging": shared.lagging,
    }
