"""The composition root: the only module that names every concrete part of a server."""

from __future__ import annotations

import secrets
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import anyio.to_thread
from fastapi import FastAPI

from lamplighter.lessons.library import course_library
from lamplighter.processes.supervisor import Supervisor
from lamplighter.runfolder.run_set import is_member
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.writing.free_space import SpaceReserve
from lamplighter.serving.apps.front import FRONT_ROUTES, create_front
from lamplighter.serving.classroom.beats.class_hub import ClassHub
from lamplighter.serving.classroom.classroom import Classroom
from lamplighter.serving.front_services import FrontServices
from lamplighter.serving.jobs.examiners import ExaminerJobs
from lamplighter.serving.jobs.exports import ExportJobs, export_worker_command
from lamplighter.serving.jobs.imports import ImportJobs
from lamplighter.serving.jobs.received_runs import ReceivedRuns
from lamplighter.serving.jobs.reprojections import IdleSmoothing, ReprojectionJobs, output_map_worker_command
from lamplighter.serving.jobs.uploads import Uploads
from lamplighter.serving.live.hub import Hub
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.routes import (
    class_presenting,
    difference,
    districts,
    findings,
    frames,
    geometry_space,
    geometry_words,
    layouts,
    lessons,
    push,
    requests,
    runs,
    session,
    sets,
    snapshots,
    steps,
    tokens,
    transfers,
    vectors,
)
from lamplighter.serving.schemas.classroom import AssistBody, PredictionMessage
from lamplighter.serving.schemas.messages import SocketMessage
from lamplighter.serving.schemas.steps import FramesHead
from lamplighter.serving.services import Services
from lamplighter.serving.supervision import make_supervisor
from lamplighter.web.access.gate import SESSION_KEY_HEADER
from lamplighter.web.http.openapi import install_openapi
from lamplighter.web.settings import ClassSettings, ServerSettings

ROUTE_MODULES = (
    session,
    runs,
    sets,
    requests,
    push,
    transfers,
    steps,
    frames,
    findings,
    lessons,
    snapshots,
    vectors,
    difference,
    layouts,
    districts,
    tokens,
    geometry_words,
    geometry_space,
    class_presenting,
)

_RESERVED_BYTES = 512 << 10
"""Bytes reserved for requests on a full disk. A request takes about 100 KB briefly and 8 KB permanently."""


def create_app(settings: ServerSettings, supervisor: Supervisor | None = None) -> FastAPI:
    """Build a server, as an app that runs its workers (by default with a new supervisor) during its lifespan.
    `app.state` holds its services.

    Raises SettingsError if the settings are refused, OSError if the runs folder cannot be used.
    """
    settings.check()
    app = create_front(settings, supervisor or make_supervisor(settings), run_rest)
    attach_rest(app)
    return app


def attach_rest(app: FastAPI) -> None:
    """Add all other routes to an app with a front, and replace its services by theirs."""
    front: FrontServices = app.state.services
    services = app.state.services = _build(front)
    app.state.jobs = (services.export_jobs, services.import_jobs, services.examiner_jobs)
    late = [module for module in ROUTE_MODULES if module not in FRONT_ROUTES]
    attached = [
        route for noun in late for route in noun.routes.attach(app, front.pools, front.response_cache)
    ]
    front.gate.rules += [route.rule for route in attached]
    declared = [route for noun in FRONT_ROUTES for route in noun.routes.declared]
    besides = {
        "SocketMessage": SocketMessage,
        "FramesHead": FramesHead,
        "PredictionMessage": PredictionMessage,
        "AssistBody": AssistBody,
    }
    install_openapi(app, [*declared, *attached], services.gate.cookie_name(), SESSION_KEY_HEADER, besides)


@asynccontextmanager
async def run_rest(app: FastAPI) -> AsyncGenerator[None]:
    """Run the background tasks of the services made by `attach_rest`."""
    services: Services = app.state.services
    await anyio.to_thread.run_sync(services.catalog.run_store.clear_leftovers)
    await anyio.to_thread.run_sync(services.uploads.clear_leftovers)
    await anyio.to_thread.run_sync(services.space_reserve.fill)
    await anyio.to_thread.run_sync(services.export_jobs.start)
    services.received_runs.start()
    threading.Thread(target=services.catalog.warm_up, name="list of runs", daemon=True).start()
    if services.idle_smoothing is not None:
        services.idle_smoothing.start()
    try:
        yield
    finally:
        await services.hub.close()
        await services.class_hub.close()
        await services.received_runs.stop()
        await anyio.to_thread.run_sync(services.export_jobs.stop)
        await anyio.to_thread.run_sync(services.import_jobs.stop)
        if services.idle_smoothing is not None:
            await anyio.to_thread.run_sync(services.idle_smoothing.stop)
        await anyio.to_thread.run_sync(services.reprojection_jobs.cancel)
        await anyio.to_thread.run_sync(services.output_map_jobs.cancel)
        await anyio.to_thread.run_sync(services.examiner_jobs.stop)
        await anyio.to_thread.run_sync(services.space_reserve.close)


def _build(front: FrontServices) -> Services:
    settings, supervisor, gate = front.settings, front.supervisor, front.gate
    run_store = RunStore(settings.runs)
    catalog = RunCatalog(run_store)
    server = secrets.token_hex(4)
    export_command = partial(export_worker_command, lessons=settings.lessons)
    hub, export_jobs = Hub(catalog), ExportJobs(run_store.path / ".exports", server, command=export_command)
    import_jobs = ImportJobs(run_store)
    examiner_jobs = ExaminerJobs(server, starts=bool(settings.roles))
    reprojection_jobs, smoothing = ReprojectionJobs(), None
    output_map_jobs = ReprojectionJobs(output_map_worker_command)
    if supervisor is not None and "projector" in settings.roles and settings.smooth_after is not None:
        smoothing = IdleSmoothing(
            reprojection_jobs,
            gate.activity,
            # The maps of a set are compared with each other, at their last step.
            lambda: [run for run in supervisor.quiet_runs() if not is_member(run)],
            lambda: (
                import_jobs.importing
                or any(jobs.at_work for jobs in (export_jobs, examiner_jobs, output_map_jobs))
            ),
            settings.smooth_after,
        )
    classroom = Classroom(run_store.path, (settings.classroom or ClassSettings()).most)
    return Services(
        **vars(front),
        catalog=catalog,
        uploads=Uploads(run_store.path / ".uploads"),
        received_runs=ReceivedRuns(run_store, settings.follow),
        export_jobs=export_jobs,
        import_jobs=import_jobs,
        hub=hub,
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
