"""Waypoints: the steps at which the output matrix of a run is kept."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from lamplighter.runfolder.reading.output_matrix import (
    choose_map_points,
    explain_no_output_map,
    has_tied_weights,
    list_output_points,
)
from lamplighter.serving.capacity.thread_pools import Pool
from lamplighter.serving.http.response_cost import LIST_ENTRY_BYTES
from lamplighter.serving.http.route_table import Routes
from lamplighter.serving.reading.layout_query import set_time
from lamplighter.serving.reading.parameters import RunId
from lamplighter.serving.schemas.base import json_body
from lamplighter.serving.schemas.vectors import Waypoint, Waypoints
from lamplighter.serving.services import ServicesDep

routes = Routes("snapshots")


@routes.get("/api/runs/{run}/waypoints", pool=Pool.CHEAP, polled=True, response_model=Waypoints)
def list_waypoints(run: RunId, request: Request, services: ServicesDep) -> Response:
    """Return the steps whose output matrix is kept: those of the waypoints, and of the last checkpoints."""
    reply = services.reply(request, run)
    with services.catalog.open_steps(reply.run) as reader:
        points = list_output_points(reply.run, reader)
    mapped = choose_map_points(reply.run, points)

    def make() -> list[bytes]:
        return json_body(
            Waypoints(
                items=[Waypoint(attempt=point.attempt, step=point.step) for point in points],
                tied=has_tied_weights(reply.run),
                last_map_step=mapped[-1].step if mapped else None,
                map_time=set_time(reply.run, "output"),
                no_map=explain_no_output_map(reply.run, points),
            )
        )

    return reply.send(LIST_ENTRY_BYTES * len(points), make)
