"""Projector processes that end with their test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from lamplighter.runfolder.run_folder import RunFolder
from tests.integration.projection.projectors import Start


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts a projector; kill every projector still running at the end."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(folder: RunFolder, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "lamplighter.projection.worker", str(folder.path), *options]
        running.append(subprocess.Popen(command, stderr=subprocess.PIPE))
        return running[-1]

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
            process.communicate()
