"""Servers that send a byte now and then: no reader waits for ever, and who serves their runs stays well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx2
import pytest

import lamplighter.cli.checkpoints.remote.ranged_client as ranged_client
import lamplighter.runfolder.published.remote_object as remote_object
from lamplighter.cli.checkpoints.remote.address import FetchError, UnavailableError, require_outside
from lamplighter.cli.checkpoints.remote.ranged_client import BoundedNetwork, FileIdentity, RangedClient
from lamplighter.cli.published.web_objects import WebObjects
from lamplighter.exports.publishing import prepare_publication, publish
from lamplighter.runfolder import remote_files
from lamplighter.runfolder.published.object_store import UnavailableStoreError, open_object_store
from lamplighter.runfolder.published.patience import Patience
from lamplighter.runfolder.published.shadow_folder import PublishedRuns
from lamplighter.runfolder.tables.steps_reader import StepsReader
from tests.support.hub_server import Hub, serve_hub
from tests.support.synthetic_runs.recorded import record
from tests.support.waiting import wait_until

FOLDER = "/org/tiny/resolve/main/"
DRIP = 0.01


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the objects of a published run."""
    run = record(tmp_path_factory.mktemp("slow"), steps=400)
    store = tmp_path_factory.mktemp("store")
    objects = open_object_store(f"file://{store}", writing=True)
    with prepare_publication(run, objects, lambda *_: None) as publication:
        publish(publication, objects, lambda *_: None)
    return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}


@pytest.fixture
def hub(files: dict[str, bytes]) -> Iterator[Hub]:
    with serve_hub(Hub(revisions={"main": {"model.bin": bytes(200_000), **files}})) as serving:
        yield serving


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a command and a request wait for a short time."""
    monkeypatch.setattr(ranged_client, "_LEAST_SECONDS", 0.2)
    monkeypatch.setattr(remote_object, "_SECONDS", 0.3)
    monkeypatch.setattr(remote_object, "_SECONDS_WHEN_ILL", 0.2)


READS: dict[str, Callable[[RangedClient, str], object]] = {
    "identify": RangedClient.identify,
    "read_file": lambda client, url: client.read_file(url, 1 << 20),
    "open_range": lambda client, url: client.open_range(url, 0, 100_000),
    "read_range": lambda client, url: list(client.read_range(url, 0, 100_000, FileIdentity("", 200_000))),
}


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("through", ["straight", "a proxy"])
@pytest.mark.parametrize("read", READS)
def test_a_drip_ends_with_a_sentence(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, read: str, through: str
) -> None:
    hub.drip = DRIP
    endpoint = hub.endpoint
    if through == "a proxy":
        monkeypatch.setenv("HTTP_PROXY", hub.endpoint)
        endpoint = "http://127.0.0.1:9"
    with RangedClient() as client, pytest.raises(UnavailableError, match=r"too slow: \d+ bytes in"):
        READS[read](client, f"{endpoint}{FOLDER}model.bin")
    assert len(hub.requests) == 1


@contextmanager
def opened_runs(hub: Hub, folder: Path) -> Generator[Callable[[int], int | str]]:
    """Yield what reads the steps of the run in a store from one on, and returns their number, or how that failed."""
    with (
        RangedClient() as client,
        PublishedRuns(WebObjects(client, "store", hub.endpoint + FOLDER), folder) as opened,
    ):
        path = folder / opened.runs[0] / "steps.sqlite"

        def read(first: int) -> int | str:
            try:
                with StepsReader(path) as reader:
                    return len(reader.pulses(first, 400))
            except UnavailableStoreError as error:
                return str(error)

        yield read


@pytest.mark.usefixtures("hasty")
def test_readers_of_a_slow_store_fail_soon_and_read_again_when_it_is_well(hub: Hub, tmp_path: Path) -> None:
    with opened_runs(hub, tmp_path) as read:
        hub.drip, before = DRIP, len(hub.requests)
        with ThreadPoolExecutor(12) as pool:
            told = Counter(str(read_).partition(": ")[2] for read_ in pool.map(read, range(1, 13)))
        # One asks, and those that wait for it fail with it.
        waited = told.pop("the store did not answer")
        assert waited > 6
        assert all("too slow" in why for why in told)
        assert len(hub.requests) - before == 12 - waited
        hub.drip = 0
        assert read(1) == 400


def test_the_end_of_a_server_ends_its_reads(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_object, "_SECONDS", 600.0)
    with opened_runs(hub, tmp_path) as read, ThreadPoolExecutor(1) as pool:
        hub.drip, before = DRIP, len(hub.requests)
        waiting = pool.submit(read, 1)
        wait_until(lambda: len(hub.requests) > before)
        remote_files.give_up()
        assert "stopped" in str(waiting.result(60))


def test_a_name_that_leads_inside_at_its_second_look_up_is_refused(hub: Hub) -> None:
    port = hub.endpoint.rpartition(":")[2]
    with httpx2.Client() as client:
        network = BoundedNetwork(client)
        inside = partial(require_outside, "https://hub.test/", "https://localhost/")
        with network.asking(Patience(20, 1)):
            network.guard("localhost", inside)
            with pytest.raises(FetchError, match="private network"):
                client.get(f"http://localhost:{port}{FOLDER}runs.json")
        assert hub.requests == []
        # A connection to a proxy is none to the host.
        with network.asking(Patience(20, 1)):
            network.guard("cdn.test", inside)
            assert client.get(f"http://localhost:{port}{FOLDER}runs.json").status_code == 200
