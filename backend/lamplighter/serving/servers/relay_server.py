"""The server of a relay: the listener of a class, without a class."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import uvicorn

from lamplighter.platform.worker_limits import raise_descriptor_limit
from lamplighter.serving.classroom.relaying.relay import Relay
from lamplighter.serving.servers.class_server import class_origins
from lamplighter.web.connections.connection_gate import ConnectionCounters, ConnectionGate
from lamplighter.web.connections.http_protocol import ConnectionConfig, GuardedHttpProtocol
from lamplighter.web.connections.limits import fit_limits
from lamplighter.web.connections.listening_socket import open_listener
from lamplighter.web.connections.viewer_protocol import ClassProtocol
from lamplighter.web.hosts import Origin
from lamplighter.web.settings import BrokerSettings, ClassSettings


def run_relay(
    settings: ClassSettings, broker: BrokerSettings, on_ready: Callable[[list[Origin]], None]
) -> None:
    """Relay the class of a broker until SIGINT or SIGTERM. `on_ready` gets the addresses for phones. Raises
    SettingsError.
    """
    settings.check()
    broker.check()
    listening = open_listener(settings.host, settings.port)
    counters = listening.counters = ConnectionCounters()
    shown, near = class_origins(settings, int(listening.getsockname()[1]))
    relay = Relay(broker, [*shown, *near], settings.trusted)
    # A whole class may come from one address, behind a school's router.
    limits = replace(fit_limits(raise_descriptor_limit()), whole_share=True)
    config = ConnectionConfig(
        relay,
        ConnectionGate(limits, counters, trusted=settings.trusted),
        limits,
        lambda method, path, headers, peer: False,
        http=GuardedHttpProtocol,
        ws=ClassProtocol,
    )

    async def serve() -> None:
        running = asyncio.create_task(relay.run())
        server = uvicorn.Server(config)
        running.add_done_callback(lambda _: setattr(server, "should_exit", True))
        on_ready(shown)
        await server.serve([listening])
        running.cancel()
        (ended,) = await asyncio.gather(running, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()
