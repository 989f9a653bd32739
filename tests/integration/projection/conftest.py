"""Projector processes that end with their test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lamplighter.runfolder.run_folder import RunFolder
from tests.integration.projection.projectors import Start
from tests.support.runs import Process, start_worker


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts a projector; kill every projector still running at the end."""
    running: list[Process] = []

    def begin(folder: RunFolder, *options: str) -> Process:
        running.append(start_worker(folder, "projection", *options))
        return running[-1]

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
            process.communicate()
