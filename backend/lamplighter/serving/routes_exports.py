"""Exports of a run: made in the background, watched, downloaded."""

from __future__ import annotations

from starlette.responses import FileResponse, Response

from lamplighter.exports.export import FORMATS
from lamplighter.serving.exportjob import Job
from lamplighter.serving.house import AHouse
from lamplighter.serving.problems import Fault, Refused
from lamplighter.serving.routing import Routes
from lamplighter.serving.shapes import Items, as_json
from lamplighter.serving.shapes_of_exports import Export, NewExport

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
    """Begin an export; ask for it again to see how far it is."""
    found = house.library.find(run)
    if asked.step is not None and FORMATS[asked.format].one is None:
        fault = f"{asked.format} holds every step, so it takes none; leave it out"
        raise Refused(422, f"step: {fault}", [Fault(field="step", message=fault)])
    job = house.exports.make(found, asked.format, asked.step)
    return as_json(_shown(job), 202, {"Location": f"/api/runs/{found.id}/exports/{job.id}"})


@routes.get("/api/runs/{run}/exports", response_model=Items[Export])
def exports(run: str, house: AHouse) -> Response:
    """The exports that are being made or kept, newest first."""
    jobs = house.exports.of(house.library.find(run))
    return as_json(Items[Export](items=[_shown(job) for job in jobs]))


@routes.get("/api/runs/{run}/exports/{export}", response_model=Export)
def export(run: str, export: str, house: AHouse) -> Response:
    """One export, and how far it is."""
    return as_json(_shown(house.exports.find(house.library.find(run), export)))


@routes.delete("/api/runs/{run}/exports/{export}", status_code=204)
def drop(run: str, export: str, house: AHouse) -> Response:
    """Cancel an export that is being made; forget one that is over, with its file."""
    house.exports.drop(house.exports.find(house.library.find(run), export))
    return Response(status_code=204)


# Without HEAD: it would read the whole file for nothing.
@routes.get("/api/runs/{run}/exports/{export}/file", head=False, response_class=FileResponse, responses=_FILE)
def file(run: str, export: str, house: AHouse) -> Response:
    """The file. Parts of it can be asked for (`Range`)."""
    job = house.exports.find(house.library.find(run), export)
    if job.state == "running":
        raise Refused(409, f"that export is not done yet ({job.share:.0%}); ask again when it is")
    if job.state != "done" or not job.file.is_file():
        raise Refused(404, "there is no file of that export; make it again")
    # A page among them is somebody's data: never one of this server's own, even if a browser were to show it.
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
