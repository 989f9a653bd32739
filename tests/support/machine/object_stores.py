"""The object stores that one suite of tests runs against: memory, a folder, and a server of S3 in `make tour`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from lamplighter.runfolder.published.object_store import ObjectStore, open_object_store
from tests.support.machine.s3_server import s3_server

KINDS = ("memory", "folder", pytest.param("s3", marks=pytest.mark.tour))

OpenStore = Callable[[], ObjectStore]
"""Opens the same place again, as another process would."""


@pytest.fixture(scope="session")
def s3_environment(tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, str]]:
    with s3_server(tmp_path_factory.mktemp("s3")) as environment:
        yield environment


@pytest.fixture(params=KINDS)
def open_store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenStore:
    if request.param == "memory":
        memory = MemoryStore()
        return lambda: ObjectStore(memory, "memory")
    if request.param == "folder":
        return lambda: open_object_store(f"file://{tmp_path / 'store'}", writing=True)
    for name, value in request.getfixturevalue("s3_environment").items():
        monkeypatch.setenv(name, value)
    prefix = secrets.token_hex(4)
    return lambda: open_object_store(f"s3://runs/{prefix}", writing=True)
