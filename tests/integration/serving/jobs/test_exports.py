"""Exports over REST, with a real server, real sockets and the real process."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import httpx2
import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

from lamplighter.exports.archive.import_run import import_zip
from lamplighter.exports.export import FORMATS
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.schemas.exports import NewExport
from lamplighter.web.settings import ServerSettings
from tests.support.folders import FakeTrainer, finished_run, layout, make_run, write_layouts
from tests.support.served import ServerThread

CONTENT = {
    "zip": ("application/zip", ".zip"),
    "html": ("text/html; charset=utf-8", ".html"),
    "parquet": ("application/vnd.apache.parquet", ".parquet"),
    "safetensors": ("application/octet-stream", ".safetensors"),
    "npy": ("application/octet-stream", ".npy"),
    "csv": ("text/csv; charset=utf-8", ".csv"),
}
FOLDERS = {"hf", "zarr"}
"""The formats that are no file to download."""


class Presenter:
    """A REST client with the presenter's token, for the exports of one run."""

    def __init__(self, served: ServerThread, run: RunFolder) -> None:
        self.base = f"http://127.0.0.1:{served.port}/api/runs/{run.id}/exports"
        self._headers = {"Authorization": f"Bearer {served.services.gate.credentials.token}"}

    def ask(self, method: str, path: str = "", status: int = 200, **more: Any) -> httpx2.Response:
        headers = {**self._headers, **more.pop("headers", {})}
        answer = httpx2.request(method, self.base + path, headers=headers, timeout=30, **more)
        assert answer.status_code == status, answer.text
        return answer

    def make(self, format: str, step: int | None = None) -> dict[str, Any]:
        return self.ask("POST", "", 202, json={"format": format, "step": step}).json()

    def wait(self, export: dict[str, Any]) -> dict[str, Any]:
        deadline = time.monotonic() + 40
        while (now := self.ask("GET", f"/{export['id']}").json())["state"] == "running":
            assert time.monotonic() < deadline, now
            time.sleep(0.05)
        return now

    def download(self, export: dict[str, Any], **headers: str) -> httpx2.Response:
        status = 206 if headers else 200
        return self.ask("GET", f"/{export['id']}/file", status, headers=headers)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = finished_run(tmp_path)
    write_layouts(made, layout(1, 10), layout(1, 30))
    return made


@pytest.fixture
def presenter(served: ServerThread, run: RunFolder) -> Presenter:
    return Presenter(served, run)


def test_every_format_can_be_asked_for() -> None:
    files = set(FORMATS) - FOLDERS
    assert set(get_args(NewExport.model_fields["format"].annotation)) == files == set(CONTENT)


@pytest.mark.parametrize("format", CONTENT)
def test_a_format_is_made_and_downloaded(presenter: Presenter, run: RunFolder, format: str) -> None:
    asked = presenter.make(format)
    assert asked["state"] in ("running", "done")
    done = presenter.wait(asked)
    assert (done["state"], done["share"], done["problem"]) == ("done", 1.0, None)
    media, ending = CONTENT[format]
    file = presenter.download(done)
    assert file.headers["content-type"] == media
    assert file.headers["content-disposition"] == f'attachment; filename="{run.id}{ending}"'
    assert int(file.headers["content-length"]) == len(file.content) == done["bytes"]
    # Even when a browser displays the file, it runs in a sandbox of no origin.
    assert "sandbox" in file.headers.get_list("content-security-policy")
    assert file.headers["x-content-type-options"] == "nosniff"
    assert (done["left_out"] != []) == (format == "html")
    head, tail = presenter.download(done, Range="bytes=0-9"), presenter.download(done, Range="bytes=10-")
    assert head.content + tail.content == file.content


def test_the_formats_hold_what_they_should(presenter: Presenter, run: RunFolder) -> None:
    exports = {name: presenter.make(name, 7) for name in ("npy", "parquet")}
    assert [export["id"] for export in presenter.ask("GET").json()["items"]] == [
        exports["parquet"]["id"],
        exports["npy"]["id"],
    ]
    files = {name: presenter.download(presenter.wait(export)).content for name, export in exports.items()}
    with MatrixHistory(run) as history:
        vectors = history.snapshot(7).vectors
    assert (np.load(io.BytesIO(files["npy"])) == vectors).all()
    assert pq.read_table(io.BytesIO(files["parquet"])).num_rows == len(vectors)
    assert exports["npy"]["name"] == f"{run.id}-step-7.npy"
    refused = presenter.ask("POST", "", 422, json={"format": "embedding-projector"}).json()
    assert all(f"'{name}'" in refused["detail"] for name in CONTENT), refused


def test_a_run_that_is_being_written_is_exported_as_of_one_moment(
    served: ServerThread, tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path), steps=100_000)
    trainer = FakeTrainer(run).begin().train(20)
    presenter = Presenter(served, run)
    asked = presenter.make("zip")
    while presenter.ask("GET", f"/{asked['id']}").json()["state"] == "running":
        trainer.train_one()
    done = presenter.wait(asked)
    assert done["state"] == "done", done
    (tmp_path / "sent.zip").write_bytes(presenter.download(done).content)
    trainer.crash()
    copy, _ = import_zip(RunStore(tmp_path / "elsewhere"), tmp_path / "sent.zip", lambda share, what: None)
    step = read_status(copy).step
    assert 20 <= step <= trainer.step
    with MatrixHistory(copy) as history:
        assert (history.snapshot(step).vectors == trainer.matrices[step]).all()


def test_rejects_impossible_values_with_a_sentence(
    presenter: Presenter, served: ServerThread, tmp_path: Path
) -> None:
    for body, field in (
        ({"format": "zip", "step": 3}, "step"),
        ({"format": "sphere"}, "format"),
        ({"format": "npy", "step": -1}, "step"),
        ({"format": "npy", "out": "/etc/passwd"}, "out"),
        ({}, "format"),
    ):
        problem = presenter.ask("POST", "", 422, content=json.dumps(body).encode(),
                                headers={"Content-Type": "application/json"}).json()  # fmt: skip
        assert field in [fault["field"] for fault in problem["errors"]], problem
    for path in ("/none", "/none/file", "/..%2F..%2F.presenter-token", "/..%2F..%2F.presenter-token/file"):
        assert presenter.ask("GET", path, 404).json()["detail"]
    failed = presenter.wait(presenter.make("npy", 999))
    assert failed["state"] == "failed"
    assert "its last is 35" in failed["problem"]
    assert "make it again" in presenter.ask("GET", f"/{failed['id']}/file", 404).json()["detail"]
    # The export is not found under another run.
    other = Presenter(served, finished_run(tmp_path))
    other.ask("GET", f"/{failed['id']}", 404)
    other.ask("DELETE", f"/{failed['id']}", 404)
    presenter.ask("DELETE", f"/{failed['id']}", 204)
    presenter.ask("GET", f"/{failed['id']}", 404)


def test_readers_may_download_but_not_change(presenter: Presenter) -> None:
    done = presenter.wait(presenter.make("csv"))
    assert httpx2.get(f"{presenter.base}/{done['id']}/file").text.startswith("step,")
    assert httpx2.post(presenter.base, json={"format": "csv"}).status_code == 401
    assert httpx2.delete(f"{presenter.base}/{done['id']}").status_code == 401
    assert [export["id"] for export in presenter.ask("GET").json()["items"]] == [done["id"]]


def test_a_server_clears_up_when_it_starts_and_leaves_nothing_when_it_ends(
    tmp_path: Path, children: Callable[[], list[psutil.Process]]
) -> None:
    run = finished_run(tmp_path / "runs")
    left = tmp_path / "runs" / ".exports" / "killed" / "job"
    left.mkdir(parents=True)
    (left / "half.zip").write_bytes(b"half")
    served = ServerThread(ServerSettings(tmp_path / "runs", port=0, roles=())).start()
    try:
        assert not left.parent.exists()
        presenter = Presenter(served, run)
        done = presenter.wait(presenter.make("csv"))
        presenter.make("zip")
        assert list((tmp_path / "runs" / ".exports").glob(f"*/*/{done['name']}"))
    finally:
        served.stop()
    assert children() == []
    assert [path for path in (tmp_path / "runs" / ".exports").iterdir() if path.is_dir()] == []
    # The folder of exports is not listed as a run.
    assert [found.id for found in RunStore(tmp_path / "runs").runs()] == [run.id]
