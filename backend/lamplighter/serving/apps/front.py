"""The front of a server: its gate, page and sessions, which answer before the modules of the other routes are imported.

A request for another route waits until they are imported. Only then does the gate decide on it, by the rules of all
routes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

import lamplighter
from lamplighter.processes.supervisor import Supervisor
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.front_services import FrontServices
from lamplighter.serving.reading.run_problems import install_run_error_handlers
from lamplighter.serving.routes import session
from lamplighter.web.access.credentials import PusherStore, open_credentials
from lamplighter.web.access.gate import Gate
from lamplighter.web.access.gate_middleware import CrashMiddleware, GateMiddleware
from lamplighter.web.audit.audit_log import AuditLog, AuditMiddleware
from lamplighter.web.capacity.limiter import body_slots
from lamplighter.web.capacity.pace import PaceMiddleware
from lamplighter.web.capacity.response_cache import ResponseCache
from lamplighter.web.capacity.spool import Spool
from lamplighter.web.capacity.thread_pools import ThreadPools
from lamplighter.web.connections.connection_gate import ConnectionCounters, count_ended
from lamplighter.web.hosts import OWN_NAME, Origin, loopback_origins
from lamplighter.web.http.assets import Assets
from lamplighter.web.http.route_table import RouteRule, find_rule
from lamplighter.web.settings import ServerSettings

FRONT_ROUTES = (session,)
"""The modules with routes that need no run."""
_THREADS = 8
"""Number of threads that read the files and bodies being sent. Routes have separate pools."""

Rest = Callable[[FastAPI], AbstractAsyncContextManager[None]]
"""A function whose context runs the rest of a server."""


def create_front(settings: ServerSettings, supervisor: Supervisor | None, rest: Rest | LateRest) -> FastAPI:
    """Build the app of a server with only its front, over settings already checked. `app.state.services` holds its
    `FrontServices`, and `app.state.jobs` the jobs to stop if the app's shutdown is cut short.

    The app starts the supervisor unless it runs, and stops it; `rest` runs while the app does. Raises as
    `create_app`.
    """
    front = _build(settings, supervisor)
    late = rest if isinstance(rest, LateRest) else None
    own_rules: list[RouteRule] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        front.audit.start()
        try:
            if supervisor is not None:
                supervisor.start()
            async with rest(app):
                try:
                    yield
                finally:
                    front.response_cache.close()
        finally:
            if supervisor is not None:
                await anyio.to_thread.run_sync(supervisor.stop)
            await anyio.to_thread.run_sync(front.audit.stop)

    app = FastAPI(
        title="Lamplighter",
        version=lamplighter.__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        lifespan=lifespan,
        middleware=[
            Middleware(AuditMiddleware, audit=front.audit),
            Middleware(CrashMiddleware),
            Middleware(PaceMiddleware, pace=front.pace),
            *([Middleware(LateRestMiddleware, rules=own_rules, late=late)] if late else []),
            Middleware(GateMiddleware, gate=front.gate),
            *(_refuse_changes() if settings.published else []),
        ],
    )
    app.state.services = front
    app.state.jobs = ()
    install_run_error_handlers(app)
    front.gate.rules += [
        route.rule
        for module in FRONT_ROUTES
        for route in module.routes.attach(app, front.pools, front.response_cache)
    ]
    # A copy, because the gate gets the other rules before the rest runs.
    own_rules += front.gate.rules
    return app


class LateRest:
    """The rest of a server, started in a separate task once the app has started. Belongs to one event loop."""

    def __init__(self, rest: Rest, on_failure: Callable[[Exception], object]) -> None:
        self._rest, self._on_failure = rest, on_failure
        self._settled, self._ended = asyncio.Event(), asyncio.Event()
        self._error: Exception | None = None

    @asynccontextmanager
    async def __call__(self, app: FastAPI) -> AsyncGenerator[None]:
        """Start the rest in a task, and end it with the context."""
        task = asyncio.create_task(self._run(app))
        try:
            yield
        finally:
            self._ended.set()
            await task

    @property
    def runs(self) -> bool:
        return self._settled.is_set() and self._error is None

    async def wait(self) -> None:
        """Return once the rest runs. Raises RuntimeError if it could not be started."""
        await self._settled.wait()
        if self._error is not None:
            raise RuntimeError("the server could not be started") from self._error

    async def _run(self, app: FastAPI) -> None:
        try:
            async with self._rest(app):
                self._settled.set()
                await self._ended.wait()
        except Exception as error:
            if self._settled.is_set():
                raise
            self._error = error
            self._settled.set()
            self._on_failure(error)


class LateRestMiddleware:
    """ASGI middleware that lets requests for the front pass at once, and all others when the rest runs."""

    def __init__(self, app: ASGIApp, rules: list[RouteRule], late: LateRest) -> None:
        self._app, self._rules, self._late = app, rules, late

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and not self._late.runs:
            rule, _ = find_rule(self._rules, scope["type"], scope.get("method", ""), scope["path"])
            if rule is None:
                await self._late.wait()
        await self._app(scope, receive, send)


def _build(settings: ServerSettings, supervisor: Supervisor | None) -> FrontServices:
    path = RunStore(settings.runs).path
    public = settings.public
    # The public address comes first, because launch links use the first address.
    addresses = sorted(loopback_origins(settings.port), key=lambda address: address.host != "127.0.0.1")
    if settings.own_name and public is None:
        addresses.append(Origin("http", OWN_NAME, settings.port))
    gate = Gate(
        [public, *addresses] if public else addresses,
        open_credentials(path),
        loopback=public is None and settings.loopback,
        port=public.port if public else settings.port,
        prefix=settings.prefix,
        pushers=PusherStore(path),
    )
    pools = ThreadPools()
    slots = body_slots(rest=pools.credit.rest)
    connections, class_connections = ConnectionCounters(), ConnectionCounters()
    return FrontServices(
        settings=settings,
        gate=gate,
        audit=AuditLog(path, lambda: count_ended((connections, class_connections))),
        assets=Assets(),
        pools=pools,
        body_slots=slots,
        response_cache=ResponseCache(slots, pools, Spool(path)),
        supervisor=supervisor,
        connections=connections,
        class_connections=class_connections,
    )


def _refuse_changes() -> list[Middleware]:
    # Only a server of published runs needs the module.
    from lamplighter.serving.apps.published import PublishedRunsMiddleware

    return [Middleware(PublishedRunsMiddleware)]
