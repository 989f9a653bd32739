"""The class's own routes: the page or the join page, the caller's role, joining, the assistant's actions, and the
live socket.

They are attached to the class's listener only (`class_app.py`).
"""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import Body
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.websockets import WebSocket

import lamplighter
from lamplighter.serving.classroom.class_door import JoinRefusedError
from lamplighter.serving.classroom.class_gate import ClassGate
from lamplighter.serving.classroom.viewer_sessions import ASSISTS_A_SECOND
from lamplighter.serving.schemas.base import Session, json_response
from lamplighter.serving.schemas.classroom import AssistBody, JoinBody, PointedWord
from lamplighter.serving.schemas.requests import AcceptedRequest
from lamplighter.serving.services import ServicesDep
from lamplighter.web.capacity.caller import counted_address
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.assets import NOT_BUILT
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import Pricing
from lamplighter.web.http.route_table import Access, Routes

routes = Routes("classroom")

_SMALL_BODY = 1_024
_COOKIE_SECONDS = 12 * 3600


@routes.get("/", pool=Pool.PAGE, access=Access.OPEN, pricing=Pricing.FIXED, include_in_schema=False)
def get_class_page(request: Request, services: ServicesDep) -> Response:
    """Return the page to members of the class, and the join page to all others. Neither holds a run's data."""
    if request.state.session is None:
        way_in = services.assets.find_file("", "join.html")
        return HTMLResponse(way_in.read_text("utf-8") if way_in else NOT_BUILT)
    page = services.assets.index_html()
    return HTMLResponse(NOT_BUILT, 503) if page is None else HTMLResponse(page)


@routes.get(
    "/api/session",
    polled=True,
    pool=Pool.PAGE,
    pricing=Pricing.FIXED,
    access=Access.OPEN,
    response_model=Session,
)
def get_class_session(request: Request, services: ServicesDep) -> Response:
    """Return the caller's role in the class."""
    session = services.classroom.session(request.state.session or "")
    role = session.role if session else "nobody"
    return json_response(
        Session(presenter=False, role=role, classroom=True, version=lamplighter.__version__, workers={})
    )


@routes.post(
    "/api/class/join",
    pool=Pool.NONE,
    access=Access.OPEN,
    pricing=Pricing.FIXED,
    body_limit=_SMALL_BODY,
    status_code=204,
)
async def join_class(body: Annotated[JoinBody, Body()], request: Request, services: ServicesDep) -> Response:
    """Join the class. 401 for a wrong code, 403 while the door is closed, 409 for a full class, 429 with `Retry-After`
    after too many wrong codes from an address, or too many joins that opened no page.
    """
    user_agent = request.headers.get("user-agent", "")
    address = counted_address(request.client.host if request.client else None) or ""
    try:
        _, cookie = services.classroom.join(body.code, address, user_agent)
    except JoinRefusedError as error:
        headers = {"Retry-After": str(math.ceil(error.wait))} if error.wait else None
        raise RefusedError(error.status, str(error), headers=headers) from error
    gate: ClassGate = request.app.state.gate
    response = Response(status_code=204, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        gate.cookie_name(request.state.address),
        cookie,
        max_age=_COOKIE_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.state.address.scheme == "https",
    )
    return response


@routes.post(
    "/api/class/assist",
    access=Access.OPEN,
    pricing=Pricing.FIXED,
    body_limit=_SMALL_BODY,
    status_code=202,
    response_model=AcceptedRequest,
)
def assist(body: Annotated[AssistBody, Body()], request: Request, services: ServicesDep) -> Response:
    """Perform an assistant's action: pause, resume, train one step, set the pace, point at a word. 403 for everyone
    else, 429 for more than five actions in a second."""
    if not services.classroom.may_assist(request.state.session):
        raise RefusedError(
            429,
            f"an assistant may do at most {ASSISTS_A_SECOND} things a second: wait a moment",
            headers={"Retry-After": "1"},
        )
    run = services.catalog.find_run(body.run)
    request.state.audited = body.kind
    if body.kind == "point":
        if body.token is not None and body.token >= len(services.catalog.token_table(run)):
            raise RefusedError(422, f"token: there is no word {body.token}")
        word = None if body.token is None else PointedWord(run=run.id, token=body.token)
        services.classroom.point(word)
        return json_response(AcceptedRequest(request=""), 202)
    parameters = {"steps_per_second": body.steps_per_second} if body.kind == "pace" else {}
    return json_response(AcceptedRequest(request=services.store_request(run, body.kind, parameters)), 202)


@routes.websocket("/api/runs/{run}/beats", access=Access.OPEN)
async def stream_beats(websocket: WebSocket, run: str, services: ServicesDep) -> None:
    """Send a run to a viewer, three real steps a second, and the state of the class (`docs/wire.md`)."""
    session = services.classroom.session(websocket.state.session or "")
    if session is None:
        await websocket.close(4403, "this session was ended")
        return
    await services.class_hub.serve(websocket, run, session)
