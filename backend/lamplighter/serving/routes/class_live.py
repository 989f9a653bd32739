"""The live socket of the class, on the class's listener only (`class_app.py`)."""

from __future__ import annotations

from starlette.websockets import WebSocket

from lamplighter.serving.services import ServicesDep
from lamplighter.web.http.route_table import Access, Routes

routes = Routes("classroom")


@routes.websocket("/api/runs/{run}/beats", access=Access.OPEN)
async def stream_beats(websocket: WebSocket, run: str, services: ServicesDep) -> None:
    """Send a run to a viewer, three real steps a second, and the state of the class (`docs/wire.md`)."""
    session = services.classroom.session(websocket.state.session or "")
    if session is None:
        await websocket.close(4403, "this session was ended")
        return
    await services.class_hub.serve(websocket, run, session)
