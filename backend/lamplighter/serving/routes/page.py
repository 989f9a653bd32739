"""The page, its scripts, and the OpenAPI documentation page."""

from __future__ import annotations

import json
from mimetypes import guess_type

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from lamplighter.serving.front_services import FrontServices, FrontServicesDep
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.assets import NOT_BUILT, PLOTLY
from lamplighter.web.http.content_negotiation import accepts_gzip
from lamplighter.web.http.openapi_page import STYLE, render
from lamplighter.web.http.problems import RefusedError
from lamplighter.web.http.response_cost import Pricing
from lamplighter.web.http.route_table import Access, Routes
from lamplighter.web.http.streaming import DownloadResponse

routes = Routes("page")

_FOR_GOOD = "public, max-age=31536000, immutable"


@routes.get("/", pool=Pool.PAGE, access=Access.OPEN, pricing=Pricing.FIXED, include_in_schema=False)
def get_page(services: FrontServicesDep) -> Response:
    """Return the page. It contains no run's data, so anyone who can connect may load it."""
    page = services.assets.index_html()
    if page is None:
        return HTMLResponse(NOT_BUILT, 503)
    return HTMLResponse(page)


@routes.get(
    "/app/{path:path}", pool=Pool.PAGE, access=Access.OPEN, pricing=Pricing.FIXED, include_in_schema=False
)
def get_app_file(path: str, request: Request, services: FrontServicesDep) -> Response:
    """Return a file of the built page; files with a hash in their name never change."""
    return _asset_response(
        request, services, "app", path, _FOR_GOOD if path.startswith("assets/") else "no-cache"
    )


@routes.get(
    "/static/{path:path}", pool=Pool.PAGE, access=Access.OPEN, pricing=Pricing.FIXED, include_in_schema=False
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
    "/api/openapi.json", pool=Pool.PAGE, access=Access.OPEN, pricing=Pricing.FIXED, include_in_schema=False
)
def get_openapi(request: Request) -> Response:
    """Return the OpenAPI document."""
    return Response(json.dumps(request.app.openapi()), media_type="application/json")


@routes.get("/api/docs", pool=Pool.PAGE, access=Access.OPEN, pricing=Pricing.FIXED, include_in_schema=False)
def get_api_docs(request: Request) -> Response:
    """Return the API documentation page."""
    return HTMLResponse(render(request.app.openapi()))


@routes.get(
    "/api/docs.css", pool=Pool.PAGE, access=Access.OPEN, pricing=Pricing.FIXED, include_in_schema=False
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
