from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamplighter.web.settings import ServerSettings
from tests.support.machine.nats_server import Link, NatsServer
from tests.support.served import ServerThread


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServerThread]:
    server = ServerThread(ServerSettings(tmp_path, port=0, roles=())).start()
    yield server
    server.stop()


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path / "nats")
    yield server
    server.stop()
    # nats-py leaves connections that failed to the collector, which would warn during any later test.
    gc.collect()


@pytest.fixture
def link(nats: NatsServer) -> Iterator[Link]:
    made = Link(nats.port)
    yield made
    made.close()
