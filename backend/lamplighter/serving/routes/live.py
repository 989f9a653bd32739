"""The live websocket of a run."""

from __future__ import annotations

from starlette.websockets import WebSocket

from lamplighter.serving.services import ServicesDep
from lamplighter.web.http.route_table import Routes

routes = Routes("live")


@routes.websocket("/api/runs/{run}/live")
async def stream_live(websocket: WebSocket, run: str, services: ServicesDep) -> None:
    """Send a run's frames as they are recorded, or play the run back from a step (`docs/wire.md`)."""
    await services.hub.serve(websocket, run, websocket.query_params)
