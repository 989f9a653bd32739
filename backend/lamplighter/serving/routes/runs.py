"""Runs: estimate, list, show, create, fork, delete, and the live websocket."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.corpus import CorpusError
from lamplighter.forks.creation import ForkPrice, ForkRequest, Parent, create_fork, price_fork
from lamplighter.forks.errors import ForkError, ParentNotReadyError
from lamplighter.model.batches import require_enough_text
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.loop_facts import MAX_CONFIG_BYTES
from lamplighter.runfolder.reading.disk_usage import bytes_by_part
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import plain_run_name, write_run_name
from lamplighter.runfolder.tables.requests import ask_to_hold
from lamplighter.runfolder.writing.size_estimate import SizeEstimate, estimate_size
from lamplighter.serving.reading.parameters import RunId, StepPath
from lamplighter.serving.reading.run_list import RunOrder, RunState, select_runs, sort_runs
from lamplighter.serving.schemas.base import json_body, json_response
from lamplighter.serving.schemas.runs import (
    AttemptFacts,
    EstimateRequest,
    NewFork,
    NewRun,
    RecordParts,
    RunList,
    RunNaming,
    RunRecord,
    RunResponse,
    without_text,
)
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.access.decision import caller_sees_text
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.content_negotiation import PNG
from lamplighter.web.http.problems import FieldError, RefusedError
from lamplighter.web.http.response_cost import BOUNDED_COST, LIST_ENTRY_BYTES, Pricing
from lamplighter.web.http.route_table import AnswerFacts, Routes

routes = Routes("runs")

MAX_ATTEMPTS = 1_000
_SUMMARY_BYTES = 10_000
"""Bytes of memory of a listed run: its recipe and its status, as Python objects and as JSON."""


@routes.get("/api/runs", polled=True, pool=Pool.PAGE, response_model=RunList)
def list_runs(
    request: Request,
    services: ServicesDep,
    q: Annotated[
        str,
        Query(
            max_length=80, description="Words that the name has, in any order and case, or a part of the id."
        ),
    ] = "",
    state: Annotated[
        list[RunState] | None,
        Query(max_length=8, description="A phase, or `unreadable`; may be repeated. By default any."),
    ] = None,
    set_: Annotated[
        str | None,
        Query(alias="set", max_length=80, description="The id of a set; empty: runs that are in no set."),
    ] = None,
    sort: Annotated[
        RunOrder, Query(description="Newest first, lowest loss first, most steps first, or by name.")
    ] = "created",
) -> Response:
    """Return the runs, by default every run, newest first. A folder that cannot be read is listed with the reason."""
    runs = services.catalog.run_store.runs()

    def make() -> list[bytes]:
        found = services.catalog.list_runs(runs)
        shown = [one.summary if caller_sees_text(request, one.run) else one.withheld for one in found]
        return json_body(RunList(items=sort_runs(select_runs(shown, q, state or (), set_), sort)))

    return services.plain_reply(request).send(_SUMMARY_BYTES * len(runs), make)


@routes.get("/api/runs/{run}", polled=True, pool=Pool.CHEAP, response_model=RunResponse)
def get_run(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return a run, with its contents once its corpus is read."""
    reply = services.reply(request, run)

    def make() -> list[bytes]:
        details = services.catalog.describe_fully(reply.run)
        if not caller_sees_text(request, reply.run):
            details = without_text(details, plain_run_name(reply.run))
        return json_body(details)

    return reply.send(_names_cost(reply.run), make)


@routes.get("/api/runs/{run}/record", pool=Pool.CHEAP, response_model=RunRecord)
def get_record(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the attempts at a run, and the disk usage of its record by part."""
    reply = services.reply(request, run)

    def make() -> list[bytes]:
        attempts: list[AttemptFacts] = []
        if reply.run.steps_path.exists():
            with services.catalog.open_steps(reply.run) as reader:
                attempts = [
                    AttemptFacts(attempt=attempt, first_step=first, opened=opened)
                    for attempt, first, opened in reader.attempts()[-MAX_ATTEMPTS:]
                ]
        return json_body(RunRecord(attempts=attempts, parts=RecordParts(**bytes_by_part(reply.run))))

    return reply.send(LIST_ENTRY_BYTES * MAX_ATTEMPTS, make)


@routes.post(
    "/api/runs",
    status_code=201,
    response_model=RunResponse,
    answers=AnswerFacts(errors=(409, 507), headers=("Location",)),
)
def create_run(new_run: NewRun, request: Request, services: ServicesDep) -> Response:
    """Create a run. A trainer starts within a second."""
    recipe, text = _recipe_and_text(new_run, services)
    services.require_free_trainer()
    hold = services.settings.hold_of_new_runs
    run_folder = services.catalog.run_store.create(
        recipe, text, lambda folder: ask_to_hold(folder, services.server_id, hold)
    )
    if new_run.upload is not None:
        services.uploads.delete(new_run.upload)
    reply = services.reply(request, run_folder.id, status=201)
    services.classroom.note_new_run(run_folder.id)
    reply.add_header("Location", f"/api/runs/{run_folder.id}")
    return reply.send(BOUNDED_COST, lambda: json_body(services.catalog.describe_fully(run_folder)))


@routes.patch("/api/runs/{run}", response_model=RunResponse, answers=AnswerFacts(errors=(507,)))
def rename_run(run: RunId, naming: RunNaming, request: Request, services: ServicesDep) -> Response:
    """Change the display name of a run. Its id stays."""
    reply = services.reply(request, run)
    write_run_name(reply.run.path, naming.name)
    return reply.send(_names_cost(reply.run), lambda: json_body(services.catalog.describe_fully(reply.run)))


@routes.get(
    "/api/runs/{run}/picture.png",
    pool=Pool.DEAR,
    answers=AnswerFacts(formats=(PNG,), etag=True, errors=(503,)),
)
def get_run_picture(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return a picture of the run's last map, 320 x 180 pixels; a single lamp in the dark while it has no map."""
    reply = services.reply(request, run, (PNG,))
    picture = services.catalog.picture(reply.run)
    reply.tag("picture", *picture.key, immutable=False)
    return reply.send(picture.cost(), lambda: [picture.png()])


@routes.delete("/api/runs/{run}", pricing=Pricing.FIXED, status_code=204)
def delete_run(run: RunId, services: ServicesDep) -> Response:
    """Move a run to the trash folder. Refused while a trainer holds it."""
    found = services.catalog.find_run(run)
    # Its open files cannot be moved on every system. If the run is kept, the next question starts another examiner.
    services.examiner_jobs.end(found.id)
    services.catalog.run_store.trash(found)
    return Response(status_code=204)


def _names_cost(run: RunFolder) -> int:
    """Return the bytes of memory of the names of a run's classes and relations, and of its loop's settings, which an
    import bounds."""
    try:
        return 2 * run.vocabulary.bytes_of_names() + 10 * MAX_CONFIG_BYTES
    except (OSError, FormatError):
        return BOUNDED_COST


def _recipe_and_text(new_run: NewRun, services: Services) -> tuple[Recipe, str | None]:
    """Return the recipe, and its uploaded text (None for corpora that need none).

    Raises:
        RefusedError: the recipe and the upload do not match, or the upload is gone or too short (422).
    """
    recipe = new_run.recipe
    if recipe.parent is not None:
        problem = "a fork is made of a run: POST /api/runs/{run}/forks"
        raise RefusedError(422, problem, [FieldError(field="recipe.parent", message=problem)])
    if recipe.corpus.kind == "recorded":
        problem = (
            "runs of the kind 'recorded' are written by an external training loop; see lamplighter.record"
        )
        raise RefusedError(422, problem, [FieldError(field="recipe.corpus.kind", message=problem)])
    if recipe.corpus.kind != "text":
        if new_run.upload is not None:
            problem = f"only the corpus kind 'text' takes an upload, not '{recipe.corpus.kind}'"
            raise RefusedError(422, f"upload: {problem}", [FieldError(field="upload", message=problem)])
        return recipe, None
    if new_run.upload is None:
        problem = "the corpus kind 'text' needs one: send the text to /api/uploads first"
        raise RefusedError(422, f"upload: {problem}", [FieldError(field="upload", message=problem)])
    try:
        text, name = services.uploads.read_text(new_run.upload)
        require_enough_text(recipe, text)
    except CorpusError as error:
        fault = FieldError(field="upload", message=str(error))
        raise RefusedError(422, str(error), [fault], reason=error.reason) from None
    except RefusedError as refused:
        fault = FieldError(field="upload", message=refused.detail)
        raise RefusedError(422, refused.detail, [fault], reason=refused.reason) from None
    if not recipe.corpus.name:
        recipe = recipe.model_copy(update={"corpus": recipe.corpus.model_copy(update={"name": name})})
    return recipe, text


@routes.post("/api/estimates", pricing=Pricing.FIXED, response_model=SizeEstimate)
def estimate_run_size(body: EstimateRequest) -> Response:
    """Return the expected disk usage of a run with a recipe. Creates nothing."""
    return json_response(estimate_size(body.recipe, None, body.text_bytes))


@routes.websocket("/api/runs/{run}/live")
async def stream_live(websocket: WebSocket, run: str, services: ServicesDep) -> None:
    """Send the page of a run its log (`docs/wire.md`)."""
    await services.hub.serve(websocket, run)


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
    hold = services.settings.hold_of_new_runs
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
