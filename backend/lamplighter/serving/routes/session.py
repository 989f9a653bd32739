"""The caller's session, the server's health, and the launch links that make a browser the presenter's."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

import lamplighter
from lamplighter.serving.access.gate import caller_is_presenter
from lamplighter.serving.http.route_table import Access, Routes
from lamplighter.serving.schemas.base import Health, Launch, Session, as_json
from lamplighter.serving.services import AHouse
from lamplighter.serving.settings import ROLES

routes = Routes("session")

_USED = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Lamplighter: this link was used</title></head>
<body><h1>This link does not work any more</h1>
<p>A launch link works once, and for ten minutes. <a href="/">The page itself</a> is open to look at; to
change things from it, start <code>lamplighter</code> again for a fresh link.</p></body></html>
"""


@routes.get("/healthz", access=Access.OPEN, response_model=Health)
def healthz() -> Response:
    """Report that the server is up."""
    return as_json(Health(status="ok", version=lamplighter.__version__))


@routes.get("/api/session", access=Access.OPEN, response_model=Session)
def session(request: Request, house: AHouse) -> Response:
    """Return whether the caller is the presenter, and the state of the server's workers."""
    presenter = caller_is_presenter(request.state)
    may_read = presenter or house.gate.loopback
    ours = {} if house.supervisor is None else house.supervisor.states()
    workers = {role: ours.get(role, "elsewhere") for role in ROLES}
    # A worker's error can name files, which strangers must not see.
    shown = workers if may_read else {}
    return as_json(Session(presenter=presenter, version=lamplighter.__version__, workers=shown))


@routes.post("/api/launches", status_code=201, response_model=Launch)
def launches(request: Request, house: AHouse) -> Response:
    """Create a launch link, which works once: opened in a browser, it makes that browser the presenter's."""
    return as_json(Launch(url=house.gate.launch_url(request.state.address)), 201)


@routes.get("/launch", access=Access.OPEN, head=False, include_in_schema=False)
def launch(request: Request, house: AHouse, code: str = "") -> Response:
    """Redeem a launch code: set the presenter's cookie and redirect to the page."""
    if not house.gate.keys.redeem(code):
        return HTMLResponse(_USED, 403)
    address = request.state.address
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        house.gate.cookie_name,
        house.gate.keys.cookie,
        path="/",
        httponly=True,
        samesite="strict",
        secure=address.scheme == "https",
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
