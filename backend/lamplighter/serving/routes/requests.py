"""Requests to a run: pause, pace, continue, change the map."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Body
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.model.training_demands import describe_demands
from lamplighter.recipe import explain_validation_error
from lamplighter.runfolder.importing.imported_run import is_imported
from lamplighter.runfolder.reading.map_settings import merge_settings, read_map_settings
from lamplighter.runfolder.reading.run_status import wants_training
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.serving.http.problems import FieldError, RefusedError
from lamplighter.serving.http.response_cost import Pricing
from lamplighter.serving.http.route_table import AnswerFacts, Routes
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import json_response
from lamplighter.serving.schemas.requests import AcceptedRequest, ContinueRequest, MapRequest, RunRequest
from lamplighter.serving.services import Services, ServicesDep

routes = Routes("requests")

_ANSWERS = AnswerFacts(errors=(507,))
_ON_A_FULL_DISK = ("pause", "stop")
"""Requests that the reserved space is for: those that end what a full disk holds up."""


@routes.post(
    "/api/runs/{run}/requests",
    pricing=Pricing.FIXED,
    status_code=202,
    response_model=AcceptedRequest,
    answers=_ANSWERS,
)
def send_request(
    request: Request, run: RunId, run_request: Annotated[RunRequest, Body()], services: ServicesDep
) -> Response:
    """Send a request to a run. It takes effect at a step boundary and is then acknowledged on the live
    socket. 409 if it could not take effect: a run that is over can only be continued, and once.
    507 on a full disk; a pause and a stop are written into space kept for them.
    """
    request.state.audited = run_request.kind
    run_folder = services.catalog.find_run(run)
    status = services.catalog.status(run_folder)
    if isinstance(run_request, MapRequest):
        return _store_map_change(run_folder, run_request, services)
    if run_folder.recipe.corpus.kind == "recorded":
        raise RefusedError(
            409, "this run is recorded from a training loop of its own, which takes no requests"
        )
    over = status.phase.has_ended
    if over and run_request.kind != "continue":
        raise RefusedError(409, f"this run is {status.phase}; it can only be continued")
    if not over and run_request.kind == "continue":
        raise RefusedError(409, f"this run is {status.phase}; only one that is over can be continued")
    body = run_request.model_dump(exclude={"kind", "confirmed"})
    if isinstance(run_request, ContinueRequest):
        _require_confirmed(run_folder, run_request)
        if run_request.learning_rate is None:
            del body["learning_rate"]
    with services.request_lock:
        # If the supervisor gave up on the trainer, a person may ask again.
        if over and wants_training(run_folder) and not services.trainer_given_up(run_folder.id):
            raise RefusedError(409, "this run was asked to go on already; a trainer takes it up in a moment")
        requests = RequestsWriter(run_folder.path, services.server_id)
        write = partial(requests.add, run_request.kind, body)
        number = services.space_reserve.spend_on(write) if run_request.kind in _ON_A_FULL_DISK else write()
    return json_response(AcceptedRequest(request=f"{services.server_id}:{number}"), 202)


def _require_confirmed(run: RunFolder, run_request: ContinueRequest) -> None:
    """Raise Refused (409) if an imported run is to be continued by a caller who was not told what that takes."""
    if run_request.confirmed or not is_imported(run):
        return
    message = (
        f"{run.id} was imported. To continue it takes {describe_demands(run.recipe, len(run.vocabulary))}. Ask again"
        " with confirmed=true if this machine is to do that"
    )
    raise RefusedError(409, message, [FieldError(field="confirmed", message=message)])


def _store_map_change(run: RunFolder, run_request: MapRequest, services: Services) -> Response:
    """Store a map change. A run takes one in any phase: a projector is started for it if none is running."""
    body = run_request.model_dump(exclude={"kind"}, exclude_none=True)
    with services.request_lock:
        try:
            merge_settings(read_map_settings(run).requested, body)
        except ValidationError as error:
            raise RefusedError(422, explain_validation_error(error)) from error
        number = RequestsWriter(run.path, services.server_id).add("map", body)
    return json_response(AcceptedRequest(request=f"{services.server_id}:{number}"), 202)
