"""The composition root: the one module that names every concrete part of a server."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import anyio.to_thread
from fastapi import FastAPI
from starlette.middleware import Middleware

import lamplighter
from lamplighter.processes.supervisor import Supervisor, SupervisorLimits
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.writing.space_reserve import SpaceReserve
from lamplighter.serving.access.crash_middleware import CrashMiddleware
from lamplighter.serving.access.credentials import open_credentials
from lamplighter.serving.access.gate import SESSION_KEY_HEADER, Gate
from lamplighter.serving.access.gate_middleware import GateMiddleware
from lamplighter.serving.audit.audit_log import AuditLog
from lamplighter.serving.audit.audit_middleware import AuditMiddleware
from lamplighter.serving.capacity.answers import Answers
from lamplighter.serving.capacity.pace import PaceMiddleware
from lamplighter.serving.capacity.response_limiter import LargeResponseLimiter
from lamplighter.serving.capacity.spool import Spool
from lamplighter.serving.capacity.thread_pools import ThreadPools
from lamplighter.serving.classroom.beats.class_hub import ClassHub
from lamplighter.serving.classroom.classroom import Classroom
from lamplighter.serving.connections.counters import ConnectionCounters, count_ended
from lamplighter.serving.hosts import OWN_NAME, Origin, loopback_origins
from lamplighter.serving.http import problems
from lamplighter.serving.http.assets import Assets, course_library, find_plotly
from lamplighter.serving.http.openapi import install_openapi
from lamplighter.serving.http.plotly_version import warn_of_other_plotly
from lamplighter.serving.jobs.examiners import ExaminerJobs
from lamplighter.serving.jobs.export_job import export_worker_command
from lamplighter.serving.jobs.exports import ExportJobs
from lamplighter.serving.jobs.idle_smoothing import IdleSmoothing
from lamplighter.serving.jobs.reprojections import ReprojectionJobs, output_map_worker_command
from lamplighter.serving.jobs.uploads import Uploads
from lamplighter.serving.live.hub import Hub
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.routes import (
    claims,
    class_lessons,
    class_presenting,
    cost,
    displacements,
    districts,
    estimates,
    examinations,
    exports,
    games,
    geometry_space,
    geometry_words,
    layouts,
    lessons,
    lines,
    live,
    norms,
    page,
    pairs,
    reprojections,
    requests,
    runs,
    session,
    snapshots,
    steps,
    token_paths,
    tokens,
    trust,
    uploads,
    vectors,
    waypoints,
)
from lamplighter.serving.schemas.classroom import AssistBody, PredictionMessage
from lamplighter.serving.schemas.messages import SocketMessage
from lamplighter.serving.services import Services
from lamplighter.serving.settings import ClassSettings, ServerSettings

ROUTE_MODULES = (
    session,
    runs,
    estimates,
    requests,
    examinations,
    uploads,
    exports,
    steps,
    claims,
    lessons,
    lines,
    cost,
    snapshots,
    vectors,
    displacements,
    norms,
    waypoints,
    layouts,
    reprojections,
    trust,
    districts,
    tokens,
    pairs,
    geometry_words,
    geometry_space,
    games,
    token_paths,
    live,
    class_lessons,
    class_presenting,
    page,
)

_RESERVED_BYTES = 512 << 10
"""Space kept for requests on a full disk. One takes about 100 KB for a moment and 8 KB for good."""
_THREADS = 8
"""Threads that read the files and answers that are being sent. Routes have pools of their own."""


def create_app(settings: ServerSettings) -> FastAPI:
    """Build a server, as an app that runs its workers during its lifespan. `app.state` holds its services.

    Raises:
        SettingsError: the settings are refused.
        OSError: the runs folder cannot be used.
    """
    settings.check()
    services = _build(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        services.audit.start()
        await anyio.to_thread.run_sync(_examine_plotly)
        if services.supervisor is not None:
            services.supervisor.start()
        await anyio.to_thread.run_sync(services.catalog.run_store.clear_leftovers)
        await anyio.to_thread.run_sync(services.uploads.clear_leftovers)
        await anyio.to_thread.run_sync(services.space_reserve.fill)
        await anyio.to_thread.run_sync(services.export_jobs.start)
        if services.idle_smoothing is not None:
            services.idle_smoothing.start()
        try:
            yield
        finally:
            services.answers.close()
            await services.hub.close()
            await services.class_hub.close()
            await anyio.to_thread.run_sync(services.export_jobs.stop)
            if services.idle_smoothing is not None:
                await anyio.to_thread.run_sync(services.idle_smoothing.stop)
            await anyio.to_thread.run_sync(services.reprojection_jobs.cancel)
            await anyio.to_thread.run_sync(services.output_map_jobs.cancel)
            await anyio.to_thread.run_sync(services.examiner_jobs.stop)
            await anyio.to_thread.run_sync(services.space_reserve.close)
            if services.supervisor is not None:
                await anyio.to_thread.run_sync(services.supervisor.stop)
            await anyio.to_thread.run_sync(services.audit.stop)

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
            Middleware(AuditMiddleware, audit=services.audit),
            Middleware(CrashMiddleware),
            Middleware(PaceMiddleware, pace=services.pace),
            Middleware(GateMiddleware, gate=services.gate),
        ],
    )
    app.state.services = services
    problems.install_error_handlers(app)
    declared = [
        route for noun in ROUTE_MODULES for route in noun.routes.attach(app, services.pools, services.answers)
    ]
    services.gate.rules += [route.rule for route in declared]
    cookie_name = services.gate.cookie_name()
    besides = {
        "SocketMessage": SocketMessage,
        "PredictionMessage": PredictionMessage,
        "AssistBody": AssistBody,
    }
    install_openapi(app, declared, cookie_name, SESSION_KEY_HEADER, besides)
    return app


def _examine_plotly() -> None:
    warn_of_other_plotly(find_plotly())


def _build(settings: ServerSettings) -> Services:
    run_store = RunStore(settings.runs)
    catalog = RunCatalog(run_store)
    public = settings.public
    # The address people type comes first, because launch links use the first address.
    addresses = sorted(loopback_origins(settings.port), key=lambda address: address.host != "127.0.0.1")
    if settings.own_name and public is None:
        addresses.append(Origin("http", OWN_NAME, settings.port))
    gate = Gate(
        [public, *addresses] if public else addresses,
        open_credentials(run_store.path),
        loopback=public is None and settings.loopback,
        port=public.port if public else settings.port,
        prefix=settings.prefix,
    )
    limits = replace(SupervisorLimits(), max_trainers=settings.max_trainers)
    server = secrets.token_hex(4)
    pools = ThreadPools()
    limiter = LargeResponseLimiter(rest=pools.credit.rest)
    supervisor = Supervisor(run_store, settings.roles, limits) if settings.roles else None
    export_command = partial(export_worker_command, lessons=settings.lessons)
    hub, export_jobs = Hub(catalog), ExportJobs(run_store.path / ".exports", server, command=export_command)
    examiner_jobs = ExaminerJobs(server, starts=bool(settings.roles))
    reprojection_jobs, smoothing = ReprojectionJobs(), None
    output_map_jobs = ReprojectionJobs(output_map_worker_command)
    if supervisor is not None and "projector" in settings.roles and settings.smooth_after is not None:
        smoothing = IdleSmoothing(
            reprojection_jobs,
            gate.activity,
            supervisor.quiet_runs,
            lambda: (
                hub.playing > 0 or export_jobs.at_work or examiner_jobs.at_work or output_map_jobs.at_work
            ),
            settings.smooth_after,
        )
    connections, class_connections = ConnectionCounters(), ConnectionCounters()
    classroom = Classroom(run_store.path, (settings.classroom or ClassSettings()).most)
    return Services(
        settings=settings,
        gate=gate,
        catalog=catalog,
        uploads=Uploads(run_store.path / ".uploads"),
        export_jobs=export_jobs,
        hub=hub,
        audit=AuditLog(run_store.path, lambda: count_ended((connections, class_connections))),
        connections=connections,
        class_connections=class_connections,
        assets=Assets(),
        pools=pools,
        response_limiter=limiter,
        answers=Answers(limiter, pools, Spool(run_store.path)),
        supervisor=supervisor,
        reprojection_jobs=reprojection_jobs,
        output_map_jobs=output_map_jobs,
        examiner_jobs=examiner_jobs,
        classroom=classroom,
        class_hub=ClassHub(catalog, classroom),
        lessons=course_library(settings.lessons),
        idle_smoothing=smoothing,
        server_id=server,
        space_reserve=SpaceReserve(run_store.path, _RESERVED_BYTES),
    )
