"""Imports over REST, with a real server, real sockets and the real process."""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from lamplighter.exports.export import export_run
from lamplighter.runfolder.preparation import preparation_folder
from tests.support.folders import finished_run
from tests.support.served import ServerThread
from tests.support.waiting import wait_until


class Sender:
    """A REST client with the presenter's token."""

    def __init__(self, served: ServerThread) -> None:
        self.base = f"http://127.0.0.1:{served.port}/api"
        self.headers = {"Authorization": f"Bearer {served.services.gate.credentials.token}"}
        self.path = f"/imports/{uuid.uuid4()}"

    def ask(self, method: str, path: str, status: int = 200, **more: Any) -> httpx2.Response:
        answer = httpx2.request(method, self.base + path, headers=self.headers, timeout=30, **more)
        assert answer.status_code == status, answer.text
        return answer

    def send(self, content: Any, status: int = 202) -> dict[str, Any]:
        self.path = f"/imports/{uuid.uuid4()}"
        return self.ask("PUT", self.path, status, content=content).json()

    def follow(self) -> dict[str, Any]:
        deadline = time.monotonic() + 40
        while (now := self.ask("GET", self.path).json())["state"] in ("receiving", "running"):
            assert time.monotonic() < deadline, now
            time.sleep(0.05)
        return now


@pytest.fixture
def sender(served: ServerThread) -> Sender:
    return Sender(served)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("packed")
    return export_run(finished_run(folder / "runs"), "zip", out=folder / "run.zip").read_bytes()


def left_over(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith(".importing")]


def test_a_run_that_is_sent_is_in_the_list_under_a_name_of_its_own(
    sender: Sender, packed: bytes, tmp_path: Path
) -> None:
    names: list[str] = []
    for _ in range(2):
        sent = sender.send(packed)
        assert (sent["received"], sent["problem"]) == (len(packed), None)
        done = sender.follow()
        assert (done["state"], done["share"], done["problem"]) == ("done", 1.0, None)
        run = sender.ask("GET", f"/runs/{done['run']}").json()
        assert (run["name"], run["readable"]) == (done["name"], True)
        names.append(done["name"])
    assert names[1] == f"{names[0]} 2"
    assert left_over(tmp_path) == []


@pytest.mark.tour
def test_a_zip_that_is_no_run_says_what_is_wrong(sender: Sender, packed: bytes, tmp_path: Path) -> None:
    other, newer = tmp_path / "other.zip", tmp_path / "newer.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("notes.txt", "nothing of a run")
    (tmp_path / "run.zip").write_bytes(packed)
    with zipfile.ZipFile(tmp_path / "run.zip") as good, zipfile.ZipFile(newer, "w") as changed:
        for name in good.namelist():
            data = good.read(name)
            if name.endswith("recipe.json"):
                data = json.dumps(json.loads(data) | {"format": 99}).encode()
            if not name.endswith("SHA256SUMS"):
                changed.writestr(name, data)
    for content, says in (
        (
            packed[: len(packed) // 2],
            "this file is not a zip that can be read: it is cut short; fetch it again",
        ),
        (other.read_bytes(), "this is not the zip of a run: it has no recipe.json"),
        (newer.read_bytes(), "newer version: update Lamplighter"),
    ):
        sender.send(content)
        over = sender.follow()
        assert (over["state"], over["run"]) == ("failed", None)
        assert says in over["problem"]
        assert "\n" not in over["problem"]
    assert sender.ask("GET", "/runs").json()["items"] == []
    assert left_over(tmp_path) == []


@pytest.mark.tour
def test_a_client_that_breaks_off_leaves_nothing_and_another_can_send(
    sender: Sender, packed: bytes, tmp_path: Path
) -> None:
    def half() -> Iterator[bytes]:
        yield packed[:2_000]
        wait_until(lambda: sender.ask("GET", sender.path).json()["received"] == 2_000)
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        sender.send(half())
    assert "send it again" in sender.follow()["problem"]
    assert left_over(tmp_path) == []
    sender.send(packed)
    assert sender.follow()["state"] == "done"


@pytest.mark.tour
def test_a_cancelled_import_ends_with_its_process(sender: Sender, tmp_path: Path, packed: bytes) -> None:
    # A zip that takes a while: the lock of the folder of runs' own leftovers does not matter to it.
    with preparation_folder(tmp_path, "importing") as others:
        sender.send(packed)
        sender.ask("DELETE", sender.path, 204)
        assert sender.follow()["state"] in ("cancelled", "done")
        assert left_over(tmp_path) == [others.name]
    workers = [child for child in psutil.Process().children() if "import_worker" in " ".join(child.cmdline())]
    assert workers == []


@pytest.mark.tour
def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(sender: Sender) -> None:
    host, _, port = sender.base.removeprefix("http://").removesuffix("/api").partition(":")
    (name, value), *_ = sender.headers.items()
    with socket.create_connection((host, int(port)), timeout=30) as raw:
        raw.sendall(
            f"PUT /api{sender.path} HTTP/1.1\r\nHost: {host}:{port}\r\n{name}: {value}\r\nContent-Length: 20000000000\r\n\r\nPK".encode()
        )
        answer = b""
        while not answer.endswith(b"}") and (more := raw.recv(65_536)):
            answer += more
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"at most 16 GB" in answer
