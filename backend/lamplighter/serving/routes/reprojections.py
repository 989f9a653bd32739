"""Reprojection of a finished run: started, polled, cancelled."""

from __future__ import annotations

from starlette.responses import Response

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps import TERMINAL
from lamplighter.serving.http.problems import Refused
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.jobs.reprojections import Going
from lamplighter.serving.schemas.base import as_json
from lamplighter.serving.schemas.map import MadeAnew, NewReprojection, Reprojection
from lamplighter.serving.services import AHouse

routes = Routes("reprojections")


@routes.post("/api/runs/{run}/reprojection", status_code=202, response_model=Reprojection)
def begin(run: str, asked: NewReprojection, house: AHouse) -> Response:
    """Start to lay out a run that is over again, looking both ways through time; the live layouts are kept. 409 while
    another reprojection is running.
    """
    found = house.library.find(run)
    phase = house.library.status(found).phase
    if phase not in TERMINAL:
        raise Refused(409, f"this run is {phase}; it can be laid out anew once it is over")
    return as_json(_shown(found, house.reprojections.begin(found, asked.slices)), 202)


@routes.get("/api/runs/{run}/reprojection", response_model=Reprojection)
def reprojection(run: str, house: AHouse) -> Response:
    """Return the progress of a run's reprojection, and the layouts of an earlier one."""
    found = house.library.find(run)
    return as_json(_shown(found, house.reprojections.of(found)))


@routes.delete("/api/runs/{run}/reprojection", status_code=204)
def cancel(run: str, house: AHouse) -> Response:
    """Cancel the reprojection; the layouts of an earlier one stay."""
    house.reprojections.cancel(house.library.find(run).id)
    return Response(status_code=204)


def _shown(run: RunFolder, going: Going) -> Reprojection:
    made = None
    try:
        with LayoutsReader(run.relayouts_path) as reader:
            facts, entries = reader.facts(), reader.entries()
        steps = sorted({entry.step for entry in entries})
        made = MadeAnew(steps=len(steps), first=steps[0], last=steps[-1], time=float(facts.get("made", 0.0)))
    except (FileNotFoundError, IndexError):
        pass
    return Reprojection(
        state=going.state, share=going.share, what=going.what, problem=going.problem, made=made
    )
