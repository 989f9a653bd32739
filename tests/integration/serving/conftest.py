from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lamplighter.web.settings import ServerSettings
from tests.support.served import ServerThread


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServerThread]:
    server = ServerThread(ServerSettings(tmp_path, port=0, roles=())).start()
    yield server
    server.stop()
