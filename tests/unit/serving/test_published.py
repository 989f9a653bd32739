"""A server of published runs gives the answers of one of the runs themselves, and changes nothing."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Generator
from pathlib import Path

import pytest
from fastapi import FastAPI
from obstore.store import MemoryStore

from lamplighter.exports.publishing import prepare_publication, publish
from lamplighter.runfolder.published.object_store import (
    CountingReader,
    ObjectStore,
    StoreError,
    UnavailableStoreError,
)
from lamplighter.runfolder.published.patience import Patience
from lamplighter.runfolder.published.shadow_folder import PublishedRuns
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.apps.app import create_app
from lamplighter.web.settings import ServerSettings
from tests.support.asgi import PORT, Answer, call
from tests.support.route_lists import CHANGE
from tests.support.synthetic_runs.recorded import record

OF_NO_RUN = ("/api/session", "/api/launches", "/api/class", "/api/estimates")
STEPS = 400
# What the page asks for when it opens and when it jumps, and what panels ask for.
PATHS = (
    "",
    "/tokens?limit=50000&offset=0",
    "/measures",
    "/lines",
    "/steps?from=1&most=100",
    "/steps?from=3&to=300&every=7",
    f"/steps?from={STEPS}&to={STEPS}&every=1&format=frame",
    "/steps?from=65&to=128&every=1&format=frame&census=true",
    "/districts/events",
    "/districts/steps",
    "/layouts?method=umap",
    "/layouts?method=linear",
    "/places?from=0&to=20&method=umap&format=frame",
    "/snapshots/100?format=frame",
    "/neighbours?token_id=3&step=100",
    "/tokens/3/path?from=1&to=60",
    "/events",
    "/cost",
)


class Breaking:
    """A store that stops answering."""

    place = "memory"

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.broken: StoreError | None = None

    def read_part(self, key: str, start: int, count: int, patience: Patience | None = None) -> bytes:
        if self.broken:
            raise self.broken
        return self._store.read_part(key, start, count, patience)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return record(tmp_path_factory.mktemp("runs"), steps=STEPS)


@pytest.fixture(scope="module")
def store(run: RunFolder) -> ObjectStore:
    made = ObjectStore(MemoryStore(), "memory")
    with prepare_publication(run, made, lambda *_: None) as publication:
        publish(publication, made, lambda *_: None)
    return made


@pytest.fixture
def breaking(store: ObjectStore) -> Breaking:
    return Breaking(store)


@pytest.fixture
def counted(breaking: Breaking) -> CountingReader:
    return CountingReader(breaking)


@pytest.fixture
def published(counted: CountingReader, tmp_path: Path) -> Generator[FastAPI]:
    with PublishedRuns(counted, tmp_path):
        yield create_app(ServerSettings(tmp_path, port=PORT, roles=(), published=True))


def ask(app: FastAPI, method: str, path: str, **headers: str) -> Answer:
    bearer = f"Bearer {app.state.services.gate.credentials.token}"
    return asyncio.run(
        call(app, method, path, {"host": f"127.0.0.1:{PORT}", "authorization": bearer} | headers)
    )


def test_every_answer_is_the_one_of_the_run_itself(run: RunFolder, published: FastAPI) -> None:
    local = create_app(ServerSettings(run.path.parent, port=PORT, roles=()))
    for path in PATHS:
        ours, theirs = (ask(app, "GET", f"/api/runs/{run.id}{path}") for app in (local, published))
        assert theirs.status == ours.status == 200, (path, theirs.body[:300])
        if path == "":
            ours_facts, theirs_facts = json.loads(ours.body), json.loads(theirs.body)
            # The folder that stands for it has other files: fewer locks, and figures.
            for facts in (ours_facts, theirs_facts):
                facts.pop("created")
                facts["status"].pop("bytes")
            assert theirs_facts == ours_facts
        else:
            assert theirs.body == ours.body, path


def test_opening_and_jumping_reads_a_part(
    run: RunFolder, published: FastAPI, counted: CountingReader
) -> None:
    before = counted.requests
    for _ in range(2):
        assert ask(published, "GET", f"/api/runs/{run.id}/steps?from=1&most=100").status == 200
    # The figures, the lineage and the head of the record; none of its steps.
    assert counted.requests - before <= 6
    again = counted.requests
    assert ask(published, "GET", f"/api/runs/{run.id}/steps?from=1&most=100").status == 200
    assert counted.requests == again


def test_every_change_of_a_run_is_refused(run: RunFolder, published: FastAPI, tmp_path: Path) -> None:
    before = sorted(path for path in (tmp_path / run.id).rglob("*"))
    for method, path in sorted(CHANGE):
        if path.startswith(OF_NO_RUN):
            continue
        answer = ask(published, method, re.sub(r"\{\w+\}", run.id, path))
        assert answer.status == 409, (method, path)
        assert answer.json["code"] == "run_is_published"
        assert "lamplighter import" in answer.json["detail"]
    assert ask(published, "POST", "/api/launches").status == 201
    assert sorted(path for path in (tmp_path / run.id).rglob("*")) == before


def test_who_may_not_change_learns_nothing_more(run: RunFolder, published: FastAPI) -> None:
    answer = ask(published, "DELETE", f"/api/runs/{run.id}", authorization="Bearer wrong")
    assert answer.status == 401


def test_a_store_that_fails_is_said(run: RunFolder, published: FastAPI, breaking: Breaking) -> None:
    breaking.broken = StoreError("memory: no permission")
    answer = ask(published, "GET", f"/api/runs/{run.id}/steps?from=1&most=100")
    assert answer.status == 409
    assert "no permission" in answer.json["detail"]
    breaking.broken = None
    assert ask(published, "GET", f"/api/runs/{run.id}/steps?from=1&most=100").status == 200


def test_a_store_that_does_not_answer_is_asked_again_later(
    run: RunFolder, published: FastAPI, breaking: Breaking
) -> None:
    breaking.broken = UnavailableStoreError("memory: too slow")
    first = {path: ask(published, "GET", f"/api/runs/{run.id}{path}") for path in PATHS}
    listed = ask(published, "GET", "/api/runs").json["items"]
    assert [(one["id"], one["readable"]) for one in listed] == [(run.id, True)]
    breaking.broken = None
    refused = 0
    for path, early in first.items():
        late = ask(published, "GET", f"/api/runs/{run.id}{path}")
        assert late.status == 200, path
        if early.status == 200:
            # The store was not needed for it.
            assert early.body == late.body, path
        else:
            assert (early.status, early.json["code"]) == (503, "store_silent"), (path, early.body)
            assert int(early.headers["retry-after"]) > 0
            refused += 1
    assert refused > 5
