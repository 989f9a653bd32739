"""Forks of a run: what one would take, and making one."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import Response

from lamplighter.corpora.corpus import CorpusError
from lamplighter.forks.creation import ForkPrice, ForkRequest, create_fork, price_fork
from lamplighter.forks.errors import ForkError, ParentNotReadyError
from lamplighter.forks.parent import Parent
from lamplighter.runfolder.tables.requests import ask_to_hold
from lamplighter.serving.reading.parameters import RunId, StepPath
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.runs import NewFork, RunResponse
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.problems import FieldError, RefusedError
from lamplighter.web.http.response_cost import BOUNDED_COST
from lamplighter.web.http.route_table import AnswerFacts, Routes

routes = Routes("runs")


@routes.get(
    "/api/runs/{run}/forks/{step}",
    pool=Pool.CHEAP,
    response_model=ForkPrice,
    answers=AnswerFacts(errors=(409,)),
)
def get_fork_price(run: RunId, step: StepPath, request: Request, services: ServicesDep) -> Response:
    """Return what a fork of a run at a step would take before it begins."""
    reply = services.reply(request, run)

    def make() -> list[bytes]:
        with _refusals(), Parent(reply.run, step) as parent:
            return json_body(price_fork(parent))

    return reply.send(BOUNDED_COST, make)


@routes.post(
    "/api/runs/{run}/forks",
    status_code=201,
    response_model=RunResponse,
    answers=AnswerFacts(errors=(409, 507), headers=("Location",)),
)
def create_run_fork(run: RunId, new_fork: NewFork, request: Request, services: ServicesDep) -> Response:
    """Create a fork: a run whose step 0 is a step of this run, with something changed. A trainer starts within a second,
    and computes the steps since the nearest kept state again."""
    parent = services.catalog.find_run(run)
    services.require_confirmed(parent, "Forking it", confirmed=new_fork.confirmed)
    text, name = _read_upload(new_fork, services)
    services.require_free_trainer()
    hold = services.settings.hold_for(parent.recipe)
    wanted = ForkRequest(new_fork.step, new_fork.changes, new_fork.steps, new_fork.name, text, name)
    with _refusals():
        fork = create_fork(
            services.catalog.run_store,
            parent,
            wanted,
            lambda folder: ask_to_hold(folder, services.server_id, hold),
        )
    if new_fork.upload is not None:
        services.uploads.delete(new_fork.upload)
    reply = services.reply(request, fork.id, status=201)
    services.classroom.note_new_run(fork.id)
    reply.add_header("Location", f"/api/runs/{fork.id}")
    return reply.send(BOUNDED_COST, lambda: json_body(services.catalog.describe_fully(fork)))


@contextmanager
def _refusals() -> Generator[None]:
    """Refuse a fork that cannot be made: 409 if its parent is not ready, else 422."""
    try:
        yield
    except ForkError as error:
        status = 409 if isinstance(error, ParentNotReadyError) else 422
        faults = [FieldError(field=error.field, message=str(error))] if error.field else []
        raise RefusedError(status, str(error), faults, reason=error.reason) from error


def _read_upload(new_fork: NewFork, services: Services) -> tuple[str | None, str]:
    """Return the uploaded text and its name; None and "" if the fork has none.

    Raises:
        RefusedError: the upload is gone (422).
    """
    if new_fork.upload is None:
        return None, ""
    try:
        return services.uploads.read_text(new_fork.upload)
    except (RefusedError, CorpusError) as error:
        problem = error.detail if isinstance(error, RefusedError) else str(error)
        raise RefusedError(422, problem, [FieldError(field="upload", message=problem)]) from None
