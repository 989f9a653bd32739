"""Requests to a run: pause, pace, continue, change the map."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from lamplighter.contract.strict_input import explain_validation_error
from lamplighter.runfolder.reading.current_map import merge_settings, read_map_settings
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import json_response
from lamplighter.serving.schemas.requests import AcceptedRequest, ContinueRequest, MapRequest, RunRequest
from lamplighter.serving.services import Services, ServicesDep
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import Pricing
from lamplighter.web.http.route_table import AnswerFacts, Routes

routes = Routes("requests")

_ANSWERS = AnswerFacts(errors=(507,))


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
    """Send a request to a run. It takes effect at a step boundary and is then acknowledged on the live socket. 409 if
    it cannot take effect: a finished run can only be continued, and only once. 507 on a full disk; a pause and a stop
    use reserved space.
    """
    request.state.audited = run_request.kind
    run_folder = services.catalog.find_run(run)
    if isinstance(run_request, MapRequest):
        return _store_map_change(run_folder, run_request, services)
    body = run_request.model_dump(exclude={"kind", "confirmed"})
    if isinstance(run_request, ContinueRequest):
        services.require_request_fits(run_folder, run_request.kind)
        services.require_confirmed(run_folder, "Continuing it", confirmed=run_request.confirmed)
        if run_request.learning_rate is None:
            del body["learning_rate"]
    accepted = services.store_request(run_folder, run_request.kind, body)
    return json_response(AcceptedRequest(request=accepted), 202)


def _store_map_change(run: RunFolder, run_request: MapRequest, services: Services) -> Response:
    """Store a map change. It is possible in any phase: a projector is started for it if none is running."""
    body = run_request.model_dump(exclude={"kind"}, exclude_none=True)
    with services.request_lock:
        try:
            merge_settings(read_map_settings(run).requested, body)
        except ValidationError as error:
            raise RefusedError(422, explain_validation_error(error)) from error
        number = RequestsWriter(run.path, services.server_id).add("map", body)
    return json_response(AcceptedRequest(request=f"{services.server_id}:{number}"), 202)
