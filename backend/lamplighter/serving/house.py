"""What the routes share: the concrete parts of one server, and how a route gets at them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from lamplighter.serving.assets import Assets
from lamplighter.serving.exporting import Exporter
from lamplighter.serving.findings import Findings
from lamplighter.serving.gate import Gate
from lamplighter.serving.hub import Hub
from lamplighter.serving.library import Library
from lamplighter.serving.reprojecting import Reprojecter
from lamplighter.serving.settings import ServerSettings
from lamplighter.serving.streamed import Turnstile
from lamplighter.serving.supervisor import Supervisor
from lamplighter.serving.uploads import Uploads


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
    """None where other processes look after the workers."""
    server: str
    """This server's name in the run folders."""
    writing: threading.Lock = field(default_factory=threading.Lock)
    """Held while this server writes its request file, of which it is the one writer."""
    turnstile: Turnstile = field(default_factory=Turnstile)
    """Where large answers pass."""
    findings: Findings = field(default_factory=Findings)
    reprojections: Reprojecter = field(default_factory=Reprojecter)

    def given_up(self, run_id: str) -> bool:
        """Whether the trainer of a run crashed so often that it is not started again."""
        return self.supervisor is not None and self.supervisor.given_up(run_id, "trainer")


def _house(connection: HTTPConnection) -> House:
    return connection.app.state.house


AHouse = Annotated[House, Depends(_house)]
"""The parameter by which a route gets the house."""
