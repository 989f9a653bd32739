"""The services that a server needs to answer at all; those of `services.py` come after the first answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from lamplighter.processes.supervisor import Supervisor
from lamplighter.web.access.gate import Gate
from lamplighter.web.audit.audit_log import AuditLog
from lamplighter.web.capacity.limiter import Limiter
from lamplighter.web.capacity.pace import SendPace
from lamplighter.web.capacity.response_cache import ResponseCache
from lamplighter.web.capacity.thread_pools import ThreadPools
from lamplighter.web.connections.connection_gate import ConnectionCounters
from lamplighter.web.http.assets import Assets
from lamplighter.web.settings import ServerSettings


@dataclass(frozen=True, kw_only=True)
class FrontServices:
    """The parts of one server that know no run."""

    settings: ServerSettings
    gate: Gate
    audit: AuditLog
    assets: Assets
    pools: ThreadPools
    body_slots: Limiter
    """The limit on large answers."""
    response_cache: ResponseCache
    """The large answers that are being made, sent or kept."""
    supervisor: Supervisor | None
    """None if other processes run the workers."""
    pace: SendPace = field(default_factory=SendPace)
    """The pace at which clients must read."""
    connections: ConnectionCounters = field(default_factory=ConnectionCounters)
    class_connections: ConnectionCounters = field(default_factory=ConnectionCounters)
    """Those of the class's listener."""


async def _front_services(connection: HTTPConnection) -> FrontServices:
    return connection.app.state.services


FrontServicesDep = Annotated[FrontServices, Depends(_front_services)]
"""The annotation of the parameter through which a route receives the services that know no run."""
