"""The services that routes share: the concrete parts of one server, and the dependency that provides them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from lamplighter.processes.supervisor import Supervisor
from lamplighter.serving.access.gate import Gate
from lamplighter.serving.http.assets import Assets
from lamplighter.serving.http.streaming import Turnstile
from lamplighter.serving.jobs.exports import Exporter
from lamplighter.serving.jobs.reprojections import Reprojecter
from lamplighter.serving.jobs.uploads import Uploads
from lamplighter.serving.live.hub import Hub
from lamplighter.serving.reading.run_catalog import Library
from lamplighter.serving.reading.run_index import Findings
from lamplighter.serving.settings import ServerSettings


@dataclass(frozen=True)
class House:
    """The parts of one server."""

    settings: ServerSettings
    gate: Gate
    library: Library
    uploads: Uploads
    exports: Exporter
    hub: Hub
    assets: Assets
    supervisor: Supervisor | None
    """None if other processes run the workers."""
    server: str
    """The name of this server in the run folders."""
    writing: threading.Lock = field(default_factory=threading.Lock)
    """A lock held while this server writes its request file, whose only writer it is."""
    turnstile: Turnstile = field(default_factory=Turnstile)
    """The limit on large responses."""
    findings: Findings = field(default_factory=Findings)
    reprojections: Reprojecter = field(default_factory=Reprojecter)

    def given_up(self, run_id: str) -> bool:
        """Return whether the trainer of a run failed or crashed so often that it is not restarted."""
        return self.supervisor is not None and self.supervisor.given_up(run_id, "trainer")


def _house(connection: HTTPConnection) -> House:
    return connection.app.state.house


AHouse = Annotated[House, Depends(_house)]
"""The annotation of the parameter through which a route receives the services."""
