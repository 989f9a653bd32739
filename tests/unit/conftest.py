from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI

from lamplighter.serving.apps.app import create_app
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import PORT


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return create_app(ServerSettings(tmp_path, port=PORT, roles=()))


@pytest.fixture
def bearer(app: FastAPI) -> dict[str, str]:
    """Return the presenter's headers, as a program sends them."""
    return {
        "host": f"127.0.0.1:{PORT}",
        "authorization": f"Bearer {app.state.services.gate.credentials.token}",
    }
