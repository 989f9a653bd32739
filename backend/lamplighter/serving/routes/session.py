"""The caller's session, the server's health, and the launch links that make a browser the presenter's."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

import lamplighter
from lamplighter.serving.access.gate import caller_is_presenter
from lamplighter.serving.http.response_cost import Pricing
from lamplighter.serving.http.route_table import Access, Routes
from lamplighter.serving.schemas.base import Health, Launch, Session, json_response
from lamplighter.serving.services import ServicesDep
from lamplighter.serving.settings import ROLES

routes = Routes("session")

_LINK_USED_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Lamplighter: this link was used</title></head>
<body><h1>This link does not work any more</h1>
<p>A launch link works once, and for ten minutes. <a href="/">The page itself</a> is open to look at; to
change things from it, start <code>lamplighter</code> again for a fresh link.</p></body></html>
"""


@routes.get("/healthz", pricing=Pricing.FIXED, access=Access.OPEN, response_model=Health)
def get_health() -> Response:
    """Report that the server is up."""
    return json_response(Health(status="ok", version=lamplighter.__version__))


@routes.get("/api/session", pricing=Pricing.FIXED, access=Access.OPEN, response_model=Session)
def get_session(request: Request, services: ServicesDep) -> Response:
    """Return whether the caller is the presenter, and the state of the server's workers."""
    presenter = caller_is_presenter(request.state)
    may_read = presenter or services.gate.loopback
    states = {} if services.supervisor is None else services.supervisor.states()
    workers = {role: states.get(role, "elsewhere") for role in ROLES}
    # A worker's error can name files, which strangers must not see.
    shown = workers if may_read else {}
    return json_response(Session(presenter=presenter, version=lamplighter.__version__, workers=shown))


@routes.post("/api/launches", pricing=Pricing.FIXED, status_code=201, response_model=Launch)
def create_launch_link(request: Request, services: ServicesDep) -> Response:
    """Create a launch link, which works once: opened in a browser, it makes that browser the presenter's."""
    return json_response(Launch(url=services.gate.issue_launch_url(request.state.address)), 201)


@routes.get("/launch", pricing=Pricing.FIXED, access=Access.OPEN, head=False, include_in_schema=False)
def redeem_launch(request: Request, services: ServicesDep, code: str = "") -> Response:
    """Redeem a launch code: set the presenter's cookie and redirect to the page."""
    if not services.gate.credentials.redeem_code(code):
        return HTMLResponse(_LINK_USED_PAGE, 403)
    address = request.state.address
    response = RedirectResponse("/", 303)
    response.set_cookie(
        services.gate.cookie_name,
        services.gate.credentials.cookie,
        path="/",
        httponly=True,
        samesite="strict",
        secure=address.scheme == "https",
    )
    response.headers["Cache-Control"] = "no-store"
    return response
