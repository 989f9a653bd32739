"""The front of the server: the page and its scripts, the presenter's sessions, the server's health, the launch links that
start a session, and the OpenAPI documentation page.
"""

from __future__ import annotations

import html
import json
from mimetypes import guess_type
from typing import Annotated
from urllib.parse import parse_qsl

import anyio.to_thread
from fastapi import Path
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

import lamplighter
from lamplighter.contract.sentences import say
from lamplighter.serving.front_services import FrontServices, FrontServicesDep
from lamplighter.serving.schemas.base import (
    BrowserSession,
    BrowserSessionList,
    Health,
    Launch,
    Session,
    json_response,
)
from lamplighter.web.access.gate import caller_is_presenter
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.assets import NOT_BUILT, PLOTLY
from lamplighter.web.http.content_negotiation import accepts_gzip
from lamplighter.web.http.openapi_page import STYLE, render
from lamplighter.web.http.problems import RefusedError, used_link_page
from lamplighter.web.http.response_cost import Pricing
from lamplighter.web.http.route_table import Access, AnswerFacts, Routes
from lamplighter.web.http.streaming import DownloadResponse
from lamplighter.web.settings import ROLES

routes = Routes("session")

_LAUNCH_BODY = 4_096

# This page alone puts the key into the page's storage: in a URL it would stay in the browser's history.
_LAUNCHED_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Lamplighter</title><meta name="lamplighter-key" content="{key}">
<link rel="stylesheet" href="static/plain.css"><script src="static/launch.js" defer></script></head>
<body><main><p>You are the presenter.</p>
<p><a class="button" href="./">Open Lamplighter</a></p></main></body></html>
"""


@routes.get(
    "/healthz", polled=True, pool=Pool.NONE, pricing=Pricing.FIXED, access=Access.OPEN, response_model=Health
)
async def get_health() -> Response:
    """Report that the server is up."""
    # On the event loop, because the server is up even if all threads are busy.
    return json_response(Health(status="ok", version=lamplighter.__version__))


@routes.get(
    "/api/session",
    polled=True,
    pool=Pool.CHEAP,
    pricing=Pricing.FIXED,
    access=Access.OPEN,
    response_model=Session,
)
def get_session(request: Request, services: FrontServicesDep) -> Response:
    """Return whether the caller is the presenter, and the state of the server's workers."""
    presenter = caller_is_presenter(request.state)
    if presenter and request.state.session is not None:
        # The page polls every few seconds.
        services.gate.credentials.sessions.note_use(request.state.session)
    may_read = presenter or request.state.session is not None or services.gate.loopback
    states = {} if services.supervisor is None else services.supervisor.states()
    workers = {role: states.get(role, "elsewhere") for role in ROLES}
    # A worker's error can name files, which strangers must not see.
    shown = workers if may_read else {}
    role = "presenter" if presenter else "viewer" if may_read else "nobody"
    return json_response(
        Session(presenter=presenter, role=role, version=lamplighter.__version__, workers=shown)
    )


@routes.get(
    "/api/sessions",
    pool=Pool.CHEAP,
    pricing=Pricing.FIXED,
    access=Access.PRESENT,
    response_model=BrowserSessionList,
)
def list_sessions(request: Request, services: FrontServicesDep) -> Response:
    """Return the presenting browsers, the most recently used first. A program with the token has no session."""
    sessions = services.gate.credentials.sessions.list_sessions()
    items = [
        BrowserSession(
            id=session.id,
            browser=session.browser,
            address=session.address,
            created=session.created,
            last_used=session.used,
            expires=session.expires,
            current=session.id == request.state.session,
        )
        for session in sessions
    ]
    return json_response(BrowserSessionList(items=items))


@routes.delete(
    "/api/sessions/{session}", pricing=Pricing.FIXED, status_code=204, answers=AnswerFacts(errors=(404,))
)
def end_session(
    session: Annotated[str, Path(description="The session's id.")],
    request: Request,
    services: FrontServicesDep,
) -> Response:
    """End a browser's session, at once and on every server of these runs. It may be the caller's own."""
    if not services.gate.credentials.sessions.end_session(session):
        raise RefusedError(404, say("no_such_session"))
    response = Response(status_code=204)
    if session == request.state.session:
        address = request.state.address
        response.delete_cookie(
            services.gate.cookie_name(address),
            path=services.gate.cookie_path(address),
            secure=address.scheme == "https",
            httponly=True,
            samesite="strict",
        )
    return response


@routes.post("/api/launches", pricing=Pricing.FIXED, status_code=201, response_model=Launch)
def create_launch_link(request: Request, services: FrontServicesDep) -> Response:
    """Create a launch link, which works once and makes the browser that opens it the presenter's."""
    return json_response(Launch(url=services.gate.issue_launch_url(request.state.address)), 201)


@routes.get(
    "/launch", pool=Pool.CHEAP, pricing=Pricing.FIXED, access=Access.OPEN, head=False, include_in_schema=False
)
def open_launch_link(request: Request, services: FrontServicesDep, code: str = "") -> Response:
    """Redeem the launch code of a link."""
    return _begin_session(request, services, code)


@routes.post(
    "/launch",
    pool=Pool.NONE,
    pricing=Pricing.FIXED,
    access=Access.OPEN,
    body_limit=_LAUNCH_BODY,
    include_in_schema=False,
)
async def post_launch_code(request: Request, services: FrontServicesDep) -> Response:
    """Redeem the launch code that a launch file posts; with `probe`, only confirm that the file reached this server."""
    fields = dict(parse_qsl((await request.body()).decode("latin-1")))
    code = fields.get("code", "")
    if "probe" not in fields:
        return await anyio.to_thread.run_sync(_begin_session, request, services, code)
    if not services.gate.credentials.codes.is_valid(code):
        return used_link_page(services.gate.page_url(request.state.address))
    # Only a page without an origin needs permission to read this, and it has the code.
    allow = {"Access-Control-Allow-Origin": "null"} if request.headers.get("origin") == "null" else {}
    return Response(status_code=204, headers={"Cache-Control": "no-store", **allow})


def _begin_session(request: Request, services: FrontServices, code: str) -> Response:
    """Redeem a launch code: set the presenter's cookie, and pass the session's key to the page."""
    gate = services.gate
    if not gate.credentials.codes.redeem_code(code):
        return used_link_page(gate.page_url(request.state.address))
    address = request.state.address
    user_agent = request.headers.get("user-agent", "")
    session, given = gate.credentials.sessions.begin_session(str(address), user_agent)
    request.state.session, request.state.audited = session.id, "begin"
    response = HTMLResponse(_LAUNCHED_PAGE.format(key=html.escape(given.key)))
    response.set_cookie(
        gate.cookie_name(address),
        given.cookie,
        path=gate.cookie_path(address),
        httponly=True,
        samesite="strict",
        secure=address.scheme == "https",
    )
    response.headers["Cache-Control"] = "no-store"
    return response


_FOR_GOOD = "public, max-age=31536000, immutable"


@routes.get(
    "/", tags=["page"], pool=Pool.PAGE, access=Access.OPEN, pricing=Pricing.FIXED, include_in_schema=False
)
def get_page(services: FrontServicesDep) -> Response:
    """Return the page. It contains no run's data, so anyone who can connect may load it."""
    page = services.assets.index_html()
    if page is None:
        return HTMLResponse(NOT_BUILT, 503)
    return HTMLResponse(page)


@routes.get(
    "/app/{path:path}",
    tags=["page"],
    pool=Pool.PAGE,
    access=Access.OPEN,
    pricing=Pricing.FIXED,
    include_in_schema=False,
)
def get_app_file(path: str, request: Request, services: FrontServicesDep) -> Response:
    """Return a file of the built page; files with a hash in their name never change."""
    return _asset_response(
        request, services, "app", path, _FOR_GOOD if path.startswith("assets/") else "no-cache"
    )


@routes.get(
    "/static/{path:path}",
    tags=["page"],
    pool=Pool.PAGE,
    access=Access.OPEN,
    pricing=Pricing.FIXED,
    include_in_schema=False,
)
def get_static_file(path: str, request: Request, services: FrontServicesDep) -> Response:
    """Return a hand-written static file, such as the page's icon. Files in subfolders, such as the teacher's pages, are
    not served."""
    if "/" in path:
        raise RefusedError(404, f"there is no file {path[:80]!r}")
    return _asset_response(request, services, "", path, "no-cache")


@routes.get(f"/{PLOTLY}", pool=Pool.PAGE, access=Access.OPEN, pricing=Pricing.FIXED, include_in_schema=False)
def get_plotly(request: Request, services: FrontServicesDep) -> Response:
    """Return plotly.js. Its address does not change with its release, so browsers ask whether it did."""
    return _asset_response(request, services, "app", PLOTLY, "no-cache")


@routes.get(
    "/api/openapi.json",
    tags=["page"],
    pool=Pool.PAGE,
    access=Access.OPEN,
    pricing=Pricing.FIXED,
    include_in_schema=False,
)
def get_openapi(request: Request) -> Response:
    """Return the OpenAPI document."""
    return Response(json.dumps(request.app.openapi()), media_type="application/json")


@routes.get(
    "/api/docs",
    tags=["page"],
    pool=Pool.PAGE,
    access=Access.OPEN,
    pricing=Pricing.FIXED,
    include_in_schema=False,
)
def get_api_docs(request: Request) -> Response:
    """Return the API documentation page."""
    return HTMLResponse(render(request.app.openapi()))


@routes.get(
    "/api/docs.css",
    tags=["page"],
    pool=Pool.PAGE,
    access=Access.OPEN,
    pricing=Pricing.FIXED,
    include_in_schema=False,
)
def get_api_docs_style() -> Response:
    """Return the stylesheet of the API documentation page."""
    return Response(STYLE, media_type="text/css")


def _asset_response(request: Request, services: FrontServices, below: str, path: str, keep: str) -> Response:
    file = services.assets.find_file(below, path)
    if file is None:
        raise RefusedError(404, "there is no such file")
    headers = {"Cache-Control": keep}
    sent = file
    if gzipped := services.assets.find_gzipped(file):
        headers["Vary"] = "Accept-Encoding"
        if accepts_gzip(request):
            headers["Content-Encoding"] = "gzip"
            sent = gzipped
    answer = DownloadResponse(
        sent, headers=headers, media_type=guess_type(file.name)[0], stat_result=sent.stat()
    )
    headers["ETag"] = answer.headers["etag"]
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return answer
