"""Exports of a run: made in the background, polled, downloaded."""

from __future__ import annotations

from starlette.responses import FileResponse, Response

from lamplighter.exports.export import FORMATS
from lamplighter.serving.http.problems import Fault, Refused
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.jobs.export_job import Job
from lamplighter.serving.schemas.base import Items, as_json
from lamplighter.serving.schemas.exports import Export, NewExport
from lamplighter.serving.services import AHouse

routes = Routes("exports")

_ANY = "application/octet-stream"
_MEDIA = {
    "zip": "application/zip",
    "html": "text/html; charset=utf-8",
    "embedding-projector": "application/zip",
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv; charset=utf-8",
}
_FILE = {200: {"content": {_ANY: {"schema": {"type": "string", "format": "binary"}}}}}


@routes.post("/api/runs/{run}/exports", status_code=202, response_model=Export)
def make(run: str, asked: NewExport, house: AHouse) -> Response:
    """Start an export; poll it for its progress."""
    found = house.library.find(run)
    if asked.step is not None and FORMATS[asked.format].one is None:
        fault = f"{asked.format} holds every step, so it takes none; leave it out"
        raise Refused(422, f"step: {fault}", [Fault(field="step", message=fault)])
    job = house.exports.make(found, asked.format, asked.step)
    return as_json(_shown(job), 202, {"Location": f"/api/runs/{found.id}/exports/{job.id}"})


@routes.get("/api/runs/{run}/exports", response_model=Items[Export])
def exports(run: str, house: AHouse) -> Response:
    """Return a run's exports, in progress or over, newest first."""
    jobs = house.exports.of(house.library.find(run))
    return as_json(Items[Export](items=[_shown(job) for job in jobs]))


@routes.get("/api/runs/{run}/exports/{export}", response_model=Export)
def export(run: str, export: str, house: AHouse) -> Response:
    """Return one export and its progress."""
    return as_json(_shown(house.exports.find(house.library.find(run), export)))


@routes.delete("/api/runs/{run}/exports/{export}", status_code=204)
def drop(run: str, export: str, house: AHouse) -> Response:
    """Cancel an export in progress, or delete one that is over with its file."""
    house.exports.drop(house.exports.find(house.library.find(run), export))
    return Response(status_code=204)


# No HEAD: the route would read the whole file only to discard it.
@routes.get("/api/runs/{run}/exports/{export}/file", head=False, response_class=FileResponse, responses=_FILE)
def file(run: str, export: str, house: AHouse) -> Response:
    """Return the exported file; `Range` requests get parts of it."""
    job = house.exports.find(house.library.find(run), export)
    if job.state == "running":
        raise Refused(409, f"that export is not done yet ({job.share:.0%}); ask again when it is")
    if job.state != "done" or not job.file.is_file():
        raise Refused(404, "there is no file of that export; make it again")
    # An exported HTML page is user data: in a sandbox it never runs with this server's origin.
    headers = {"Content-Security-Policy": "sandbox"}
    return FileResponse(job.file, headers=headers, media_type=_MEDIA.get(job.format, _ANY), filename=job.name)


def _shown(job: Job) -> Export:
    return Export(
        id=job.id,
        run=job.run.id,
        format=job.format,
        step=job.step,
        created=job.created,
        state=job.state,
        share=job.share,
        what=job.what,
        bytes=job.bytes,
        name=job.name,
        problem=job.problem,
        left_out=job.left_out,
    )
