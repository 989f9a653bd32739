"""A class on a real server, and a run that a fake trainer writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.classroom.beats.class_hub import ClassHub
from tests.integration.serving.classroom.viewers import class_server
from tests.support.folders import FakeTrainer, make_run
from tests.support.served import ServerThread


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("class")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[ServerThread]:
    started = class_server(folder)
    yield started
    started.stop()


@pytest.fixture
async def trainer(server: ServerThread, folder: Path) -> AsyncIterator[FakeTrainer]:
    del server
    trainer = FakeTrainer(make_run(RunStore(folder))).begin().train(5)
    yield trainer
    trainer.crash()


@pytest.fixture
def hub(server: ServerThread) -> ClassHub:
    return server.services.class_hub
