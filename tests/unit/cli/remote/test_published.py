"""Published runs on the web and on the Hub, read by range; and the commands that publish, serve and import them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import lamplighter.serving.servers.server as server
from lamplighter.cli.app import cli
from lamplighter.cli.published.serving import open_for_reading
from lamplighter.cli.published.web_objects import hub_folder
from lamplighter.runfolder.published.object_store import StoreError
from lamplighter.runfolder.published.shadow_folder import PublishedRuns
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.web.settings import ServerSettings
from tests.support.hub_server import Hub, serve_hub, status
from tests.support.synthetic_runs.recorded import record


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return record(tmp_path_factory.mktemp("published") / "runs")


def typed(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture(scope="module")
def store(run: RunFolder) -> Path:
    """Return a folder in which the run is published."""
    folder = run.path.parent.parent / "store"
    done = typed("--runs", run.path.parent, "publish", run.id, f"file://{folder}", "--yes")
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def hub(store: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    files = {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}
    made = Hub(revisions={"main": {f"city/{name}": data for name, data in files.items()}, "city": files})
    with serve_hub(made) as serving:
        monkeypatch.setenv("HF_ENDPOINT", serving.endpoint)
        monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
        yield serving


@pytest.mark.parametrize("kind", ["hf://datasets/org/tiny/city", "hf://buckets/org/tiny/city", "http"])
def test_a_run_on_the_web_is_read_in_place(kind: str, run: RunFolder, hub: Hub, tmp_path: Path) -> None:
    address = f"{hub.endpoint}/datasets/org/tiny/resolve/main/city" if kind == "http" else kind
    (tmp_path / "shadow").mkdir()
    with open_for_reading(address) as objects, PublishedRuns(objects, tmp_path / "shadow") as opened:
        assert opened.runs == [run.id]
        with (
            StepsReader(run.steps_path) as ours,
            StepsReader(tmp_path / "shadow" / run.id / "steps.sqlite") as theirs,
        ):
            assert theirs.pulses(1, 30) == ours.pulses(1, 30)
    assert all(part for _, _, part in hub.requests), "an object was asked for without a range"


def test_what_the_web_refuses_is_said(hub: Hub, tmp_path: Path) -> None:
    hub.faults["runs.json"] = [status(403)]
    with (
        open_for_reading("hf://buckets/org/tiny/city") as objects,
        pytest.raises(StoreError, match="no permission"),
    ):
        PublishedRuns(objects, tmp_path / "shadow")
    for address in ("http://example.org/runs", "ftp://example.org/x", "hf://one"):
        with pytest.raises(StoreError), open_for_reading(address):
            pass


def test_the_addresses_of_the_hub() -> None:
    end = "https://hub.test"
    assert hub_folder("hf://buckets/a/b/c d", end) == "https://hub.test/buckets/a/b/resolve/c%20d/"
    assert hub_folder("hf://datasets/a/b@v1", end) == "https://hub.test/datasets/a/b/resolve/v1/"
    assert hub_folder("hf://a/b/c", end) == "https://hub.test/a/b/resolve/main/c/"
    for wrong in ("hf://buckets/a/b@main", "hf://a", "hf://a/b/../c"):
        with pytest.raises(StoreError, match="write hf://"):
            hub_folder(wrong, end)


def test_the_price_is_said_and_nothing_sent(run: RunFolder, tmp_path: Path) -> None:
    address = f"file://{tmp_path / 'store'}"
    said = typed("--runs", run.path.parent, "publish", run.id, address, "--price")
    assert said.exit_code == 0
    assert " objects, " in said.output
    assert "0 are there already" in said.output
    assert not list((tmp_path / "store").rglob("*"))


def test_published_runs_are_served_and_change_nothing(
    store: Path, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[ServerSettings] = []

    def run_server(settings: ServerSettings, _: Any) -> None:
        assert [one.id for one in RunStore(settings.runs).runs()] == [run.id]
        served.append(settings)

    monkeypatch.setattr(server, "run_server", run_server)
    for words in (["--runs", f"file://{store}", "serve"], ["serve", "--runs", f"file://{store}/{run.id}"]):
        said = typed(*words)
        assert said.exit_code == 0, said.output
        assert "1 published run, 0." in said.output
        assert "read from file://" in said.output
    for settings in served:
        assert (settings.published, settings.roles) == (True, ())
        assert not settings.runs.exists()


def test_other_commands_need_a_folder(store: Path) -> None:
    for words in (
        ["--runs", f"file://{store}", "train"],
        ["export", "--runs", "s3://a/b", "x", "--to", "csv"],
    ):
        said = typed(*words)
        assert said.exit_code == 2
        assert "published runs can be served" in said.output


def test_the_web_is_for_reading(run: RunFolder) -> None:
    said = typed("--runs", run.path.parent, "publish", run.id, "hf://buckets/a/b")
    assert said.exit_code == 1
    assert "is for reading" in said.output


def test_a_published_run_is_imported(store: Path, run: RunFolder, tmp_path: Path) -> None:
    said = typed("--runs", tmp_path / "mine", "import", f"file://{store}")
    assert said.exit_code == 0, said.output
    assert "its files are those that its manifest lists" in said.output
    (back,) = RunStore(tmp_path / "mine").runs()
    with StepsReader(run.steps_path) as ours, StepsReader(back.steps_path) as theirs:
        assert theirs.pulses(1, 30) == ours.pulses(1, 30)
    said = typed("--runs", tmp_path / "mine", "import", f"file://{tmp_path / 'no-such'}")
    assert said.exit_code == 1
    assert "there is no such folder" in said.output
