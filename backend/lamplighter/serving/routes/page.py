"""The page, its scripts, and the OpenAPI documentation page."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from lamplighter.serving.http.assets import NOT_BUILT
from lamplighter.serving.http.openapi_page import STYLE, render
from lamplighter.serving.http.problems import Refused
from lamplighter.serving.http.route_table import Access, Routes
from lamplighter.serving.services import AHouse

routes = Routes("page")

_FOR_GOOD = "public, max-age=31536000, immutable"


@routes.get("/", access=Access.OPEN, include_in_schema=False)
def index(house: AHouse) -> Response:
    """Return the page. It contains no run's data, so anyone who can connect may load it."""
    page = house.assets.index()
    if page is None:
        return HTMLResponse(NOT_BUILT, 503)
    return HTMLResponse(page)


@routes.get("/app/{path:path}", access=Access.OPEN, include_in_schema=False)
def app_file(path: str, house: AHouse) -> Response:
    """Return a file of the built page; files with a hash in their name never change."""
    return _file(house, "app", path, _FOR_GOOD if path.startswith("assets/") else "no-cache")


@routes.get("/static/{path:path}", access=Access.OPEN, include_in_schema=False)
def static_file(path: str, house: AHouse) -> Response:
    """Return a hand-made file, such as a lesson's text or a picture."""
    return _file(house, "", path, "no-cache")


@routes.get("/vendor/plotly.min.js", access=Access.OPEN, include_in_schema=False)
def plotly(request: Request, house: AHouse) -> Response:
    """Return plotly.js from the installed plotly package."""
    script = house.assets.plotly()
    if script is None:
        raise Refused(404, "the installed plotly package carries no plotly.min.js; reinstall plotly")
    headers = {"ETag": script.etag, "Vary": "Accept-Encoding", "Cache-Control": "no-cache"}
    if script.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(script.zipped, headers=headers, media_type="text/javascript")
    return Response(script.plain, headers=headers, media_type="text/javascript")


@routes.get("/api/openapi.json", access=Access.OPEN, include_in_schema=False)
def schema(request: Request) -> Response:
    """Return the OpenAPI document."""
    return Response(json.dumps(request.app.openapi()), media_type="application/json")


@routes.get("/api/docs", access=Access.OPEN, include_in_schema=False)
def docs(request: Request) -> Response:
    """Return the API documentation page."""
    return HTMLResponse(render(request.app.openapi()))


@routes.get("/api/docs.css", access=Access.OPEN, include_in_schema=False)
def docs_style() -> Response:
    """Return the stylesheet of the API documentation page."""
    return Response(STYLE, media_type="text/css")


def _file(house: AHouse, below: str, path: str, keep: str) -> Response:
    found = house.assets.find(below, path)
    if found is None:
        raise Refused(404, "there is no such file")
    return FileResponse(found, headers={"Cache-Control": keep})
