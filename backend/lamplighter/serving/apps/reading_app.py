"""The app of the reading routes for this process itself: no listener, no gate, no credentials.

Packing a run into a file sends it the page's requests, so that the file holds the same answers as a server's.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from lamplighter.lessons.library import LessonLibrary
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.jobs.examiners import ExaminerJobs
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.reading.run_problems import install_run_error_handlers
from lamplighter.serving.routes import (
    districts,
    examinations,
    geometry_space,
    layouts,
    lessons,
    lines,
    outliers,
    runs,
    steps,
    tokens,
)
from lamplighter.serving.services import ReadingServices
from lamplighter.web.capacity.limiter import body_slots
from lamplighter.web.capacity.response_cache import ResponseCache
from lamplighter.web.capacity.spool import Spool
from lamplighter.web.capacity.thread_pools import ThreadPools
from lamplighter.web.http.route_table import RouteRule

_NOBODY = "packer"
"""The name of a server without questions."""


def create_reading_app(store: Path, library: LessonLibrary) -> FastAPI:
    """Build the app for the runs in the folder `store`, with the course of a library. It writes nothing except large
    answers in the spool."""
    pools = ThreadPools()
    services = ReadingServices(
        catalog=RunCatalog(RunStore(store)),
        pools=pools,
        response_cache=ResponseCache(body_slots(), pools, Spool(store)),
        server_id=_NOBODY,
        examiner_jobs=ExaminerJobs(_NOBODY, starts=False),
        lessons=library,
    )
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.services = services
    install_run_error_handlers(app)
    for module in (
        runs,
        steps,
        outliers,
        lines,
        layouts,
        districts,
        examinations,
        geometry_space,
        lessons,
        tokens,
    ):
        module.routes.attach(app, pools, services.response_cache, _reads)
    return app


def _reads(rule: RouteRule) -> bool:
    return rule.kind == "http" and "GET" in rule.methods
