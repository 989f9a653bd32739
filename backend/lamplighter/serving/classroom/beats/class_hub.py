"""The viewers of the class and their sockets."""

from __future__ import annotations

from starlette.websockets import WebSocket

from lamplighter.serving.classroom.classroom import Classroom
from lamplighter.serving.classroom.viewer_session import ViewerSession
from lamplighter.serving.reading.run_catalog import RunCatalog


class ClassHub:
    """The watched runs of the class. Belongs to one event loop."""

    def __init__(self, catalog: RunCatalog, classroom: Classroom) -> None:
        """Serve the runs of `catalog` to the viewers of `classroom`."""
        self._catalog = catalog
        self._classroom = classroom

    async def serve(self, websocket: WebSocket, run_id: str, session: ViewerSession) -> None:
        """Serve one viewer until it disconnects or is closed."""
        await websocket.close(1013, "not yet")

    def counts(self) -> tuple[int, int]:
        """Return how many viewers have a socket, and how many of them are more than a second behind."""
        return 0, 0

    def connected_ids(self) -> set[str]:
        """Return the ids of the sessions with a socket."""
        return set()

    def watched_runs(self) -> set[str]:
        """Return the ids of the runs that are watched."""
        return set()

    async def close(self) -> None:
        """Close every viewer's socket because the server is going, and stop following runs."""
