"""Requests to a run: pause, pace, continue, change the map."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body
from pydantic import ValidationError
from starlette.responses import Response

from lamplighter.recipe import explain
from lamplighter.runfolder.reading.map_settings import merged, read_drawing
from lamplighter.runfolder.reading.run_status import wants_training
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.requests import RequestsWriter
from lamplighter.runfolder.tables.steps import TERMINAL
from lamplighter.serving.http.problems import Refused
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.schemas.base import as_json
from lamplighter.serving.schemas.requests import Accepted, Asked, ChangeMap, Continue
from lamplighter.serving.services import AHouse, House

routes = Routes("requests")


@routes.post("/api/runs/{run}/requests", status_code=202, response_model=Accepted)
def ask(run: str, asked: Annotated[Asked, Body()], house: AHouse) -> Response:
    """Send a request to a run. It takes effect at a step boundary and is then acknowledged on the live
    socket. 409 if it could not take effect: a run that is over can only be continued, and once.
    """
    found = house.library.find(run)
    status = house.library.status(found)
    if isinstance(asked, ChangeMap):
        return _change_map(found, asked, house)
    if found.recipe.corpus.kind == "recorded":
        raise Refused(409, "this run is recorded from a training loop of its own, which takes no requests")
    over = status.phase in TERMINAL
    if over and asked.kind != "continue":
        raise Refused(409, f"this run is {status.phase}; it can only be continued")
    if not over and asked.kind == "continue":
        raise Refused(409, f"this run is {status.phase}; only one that is over can be continued")
    body = asked.model_dump(exclude={"kind"})
    if isinstance(asked, Continue) and asked.learning_rate is None:
        del body["learning_rate"]
    with house.writing:
        # If the supervisor gave up on the trainer, a person may ask again.
        if over and wants_training(found) and not house.given_up(found.id):
            raise Refused(409, "this run was asked to go on already; a trainer takes it up in a moment")
        number = RequestsWriter(found.path, house.server).add(asked.kind, body)
    return as_json(Accepted(request=f"{house.server}:{number}"), 202)


def _change_map(run: RunFolder, asked: ChangeMap, house: House) -> Response:
    """Store a map change. A run takes one in any phase: a projector is started for it if none is running."""
    body = asked.model_dump(exclude={"kind"}, exclude_none=True)
    with house.writing:
        try:
            merged(read_drawing(run).asked, body)
        except ValidationError as error:
            raise Refused(422, explain(error)) from error
        number = RequestsWriter(run.path, house.server).add("map", body)
    return as_json(Accepted(request=f"{house.server}:{number}"), 202)
