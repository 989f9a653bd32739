"""The app of the class's listener, with only the routes that viewers may use.

`BORROWED` lists the reading routes that it shares with the presenter's app, and `OWN` its own. Other routes of the
presenter's app do not exist here, and the gate refuses all that the tables lack.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware import Middleware

import lamplighter
from lamplighter.serving.apps.app import ROUTE_MODULES
from lamplighter.serving.classroom.class_gate import ClassAccess, ClassGate
from lamplighter.serving.reading.run_problems import install_run_error_handlers
from lamplighter.serving.routes import class_joining
from lamplighter.serving.services import Services
from lamplighter.web.access.gate_middleware import CrashMiddleware, GateMiddleware
from lamplighter.web.audit.audit_log import AuditMiddleware
from lamplighter.web.capacity.pace import PaceMiddleware
from lamplighter.web.connections.viewer_share import ViewerShareMiddleware
from lamplighter.web.http.route_table import RouteRule

_OPEN, _MEMBER, _TEXT, _ASSISTANT = (
    ClassAccess.OPEN,
    ClassAccess.MEMBER,
    ClassAccess.TEXT,
    ClassAccess.ASSISTANT,
)

BORROWED: dict[str, ClassAccess] = {
    "/healthz": _OPEN,
    "/app/{path:path}": _OPEN,
    "/static/{path:path}": _OPEN,
    "/vendor/plotly.min.js": _OPEN,
    "/api/runs": _MEMBER,
    "/api/runs/{run}": _MEMBER,
    "/api/runs/{run}/picture.png": _MEMBER,
    "/api/sets": _MEMBER,
    "/api/sets/{set}": _MEMBER,
    "/api/sets/{set}/curves": _MEMBER,
    "/api/sets/{set}/claims": _MEMBER,
    "/api/sets/{set}/spread": _MEMBER,
    "/api/sets/{set}/word": _MEMBER,
    "/api/runs/{run}/steps": _MEMBER,
    "/api/runs/{run}/steps/{step}": _TEXT,
    "/api/runs/{run}/steps/{step}/text": _TEXT,
    "/api/runs/{run}/outliers": _MEMBER,
    "/api/runs/{run}/outliers/{step}": _TEXT,
    "/api/runs/{run}/turning-points": _MEMBER,
    "/api/runs/{run}/events": _MEMBER,
    "/api/runs/{run}/measures": _MEMBER,
    "/api/runs/{run}/cost": _MEMBER,
    "/api/runs/{run}/claims": _MEMBER,
    "/api/lessons": _MEMBER,
    "/api/class/lessons": _MEMBER,
    "/api/runs/{run}/lessons/{part}": _MEMBER,
    "/api/runs/{run}/lines": _TEXT,
    "/api/runs/{run}/snapshots": _MEMBER,
    "/api/runs/{run}/snapshots/{step}": _MEMBER,
    "/api/runs/{run}/norms": _MEMBER,
    "/api/runs/{run}/waypoints": _MEMBER,
    "/api/runs/{run}/displacements": _MEMBER,
    "/api/runs/{run}/difference": _MEMBER,
    "/api/runs/{run}/difference/layout": _MEMBER,
    "/api/runs/{run}/difference/progress": _MEMBER,
    "/api/runs/{run}/difference/rows": _MEMBER,
    "/api/runs/{run}/map": _MEMBER,
    "/api/runs/{run}/layouts": _MEMBER,
    "/api/runs/{run}/layouts/{step}": _MEMBER,
    "/api/runs/{run}/places": _MEMBER,
    "/api/runs/{run}/layouts/{step}/trust": _MEMBER,
    "/api/runs/{run}/districts": _MEMBER,
    "/api/runs/{run}/districts/steps": _MEMBER,
    "/api/runs/{run}/districts/events": _MEMBER,
    "/api/runs/{run}/tokens": _MEMBER,
    "/api/runs/{run}/tokens/{token_id}": _MEMBER,
    "/api/runs/{run}/tokens/{token_id}/path": _MEMBER,
    "/api/runs/{run}/neighbours": _MEMBER,
    "/api/runs/{run}/pairs": _MEMBER,
    "/api/runs/{run}/geometry/analogy": _MEMBER,
    "/api/runs/{run}/geometry/axis": _MEMBER,
    "/api/runs/{run}/geometry/ranks": _MEMBER,
    "/api/runs/{run}/geometry/ranks/curves": _MEMBER,
    "/api/runs/{run}/geometry/relations": _MEMBER,
    "/api/runs/{run}/geometry/fourier": _MEMBER,
    "/api/runs/{run}/geometry/lengths": _MEMBER,
    "/api/runs/{run}/geometry/touches": _MEMBER,
    "/api/runs/{run}/geometry/stayed": _MEMBER,
    "/api/runs/{run}/geometry/chance": _MEMBER,
    "/api/runs/{run}/geometry/cooccurrence": _MEMBER,
    "/api/runs/{run}/geometry/odd-one-out": _MEMBER,
    "/api/runs/{run}/examinations": _TEXT,
    "/api/runs/{run}/examinations/{examination}": _TEXT,
}
"""The paths of the presenter's reading routes that the class may use, only with GET, and who may use them."""

OWN: dict[tuple[str, str], ClassAccess] = {
    ("GET", "/"): _OPEN,
    ("GET", "/api/session"): _OPEN,
    ("POST", "/api/class/join"): _OPEN,
    ("POST", "/api/class/assist"): _ASSISTANT,
    ("websocket", "/api/runs/{run}/beats"): _MEMBER,
}
"""The class's own routes: method and path. Only two of them change anything, and one of these only admits viewers."""


def create_class_app(services: Services, gate: ClassGate) -> FastAPI:
    """Build the app of the class's listener over the services of the presenter's app."""
    app = FastAPI(
        title="Lamplighter: the class",
        version=lamplighter.__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        middleware=[
            Middleware(AuditMiddleware, audit=services.audit),
            Middleware(CrashMiddleware),
            Middleware(PaceMiddleware, pace=services.pace),
            Middleware(GateMiddleware, gate=gate),
            Middleware(ViewerShareMiddleware),
        ],
    )
    app.state.services, app.state.gate = services, gate
    install_run_error_handlers(app, for_class=True)
    access: dict[tuple[str, str], ClassAccess] = {("GET", path): whose for path, whose in BORROWED.items()}
    access.update(OWN)
    borrowed = [
        route.rule
        for module in ROUTE_MODULES
        for route in module.routes.attach(app, services.pools, services.response_cache, _is_borrowed)
    ]
    own = [route.rule for route in class_joining.routes.attach(app, services.pools, services.response_cache)]
    gate.rules, gate.access, gate.pools = borrowed + own, access, services.pools
    return app


def _is_borrowed(rule: RouteRule) -> bool:
    return rule.kind == "http" and "GET" in rule.methods and rule.path in BORROWED
