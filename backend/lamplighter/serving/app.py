"""The composition root: the one module that names every concrete part of a server."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio.to_thread
from fastapi import FastAPI
from starlette.middleware import Middleware

import lamplighter
from lamplighter.processes.supervisor import Limits, Supervisor
from lamplighter.runfolder.run_store import Shelf
from lamplighter.serving.access.credentials import open_keys
from lamplighter.serving.access.gate import Gate, GateMiddleware
from lamplighter.serving.hosts import loopback_addresses
from lamplighter.serving.http import problems
from lamplighter.serving.http.assets import Assets
from lamplighter.serving.jobs.exports import Exporter
from lamplighter.serving.jobs.uploads import Uploads
from lamplighter.serving.live.hub import Hub
from lamplighter.serving.reading.run_catalog import Library
from lamplighter.serving.routes import (
    displacements,
    districts,
    estimates,
    exports,
    layouts,
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
)
from lamplighter.serving.services import House
from lamplighter.serving.settings import ServerSettings

NOUNS = (
    session,
    runs,
    estimates,
    requests,
    uploads,
    exports,
    steps,
    snapshots,
    vectors,
    displacements,
    norms,
    layouts,
    reprojections,
    trust,
    districts,
    tokens,
    pairs,
    token_paths,
    live,
    page,
)

_THREADS = 8
"""Worker threads for blocking calls. Few, because route computations share the machine with the trainer."""


def create_app(settings: ServerSettings) -> FastAPI:
    """Build a server, as an app that runs its workers during its lifespan. `app.state` holds its services.

    Raises:
        SettingsError: the settings are refused.
        OSError: the runs folder cannot be used.
    """
    settings.check()
    house = _build(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        if house.supervisor is not None:
            house.supervisor.start()
        await anyio.to_thread.run_sync(house.exports.start)
        try:
            yield
        finally:
            await house.hub.close()
            await anyio.to_thread.run_sync(house.exports.stop)
            await anyio.to_thread.run_sync(house.reprojections.cancel)
            if house.supervisor is not None:
                await anyio.to_thread.run_sync(house.supervisor.stop)

    app = FastAPI(
        title="Lamplighter",
        version=lamplighter.__version__,
        description="Watch a language model learn. Reading needs no credential on this machine; changing "
        "anything needs the presenter's cookie (from the launch link) or bearer token.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[Middleware(GateMiddleware, gate=house.gate)],
    )
    app.state.house = house
    problems.install(app)
    for noun in NOUNS:
        house.gate.rules += noun.routes.attach(app)
    return app


def _build(settings: ServerSettings) -> House:
    shelf = Shelf(settings.runs)
    library = Library(shelf)
    public = settings.public
    # The address people type comes first, because launch links use the first address.
    addresses = sorted(loopback_addresses(settings.port), key=lambda address: address.host != "127.0.0.1")
    gate = Gate(
        [public, *addresses] if public else addresses,
        open_keys(shelf.path),
        loopback=public is None and settings.loopback,
        port=public.port if public else settings.port,
    )
    limits = replace(Limits(), trainers=settings.max_trainers)
    server = secrets.token_hex(4)
    return House(
        settings=settings,
        gate=gate,
        library=library,
        uploads=Uploads(shelf.path / ".uploads"),
        exports=Exporter(shelf.path / ".exports", server),
        hub=Hub(library),
        assets=Assets(),
        supervisor=Supervisor(shelf, settings.roles, limits) if settings.roles else None,
        server=server,
    )
