"""A program that fills a small file system under a server and its workers, and sends requests to them.

`python -m tests.integration.training.small_disk_server FOLDER`, with FOLDER a separate file system of a few MB; started
by `test_full_disk.py`.
"""

from __future__ import annotations

import json
import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path

from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.reading.run_problems import DISK_FULL
from tests.integration.training.small_disk import fill
from tests.support.application import Application
from tests.support.runs import make_run, wait_for_step
from tests.support.waiting import wait_until


def ask(server: Application, path: str, body: bytes, media_type: str = "application/json") -> tuple[int, str]:
    """Send a request as the presenter. Return its status, and the sentence of a problem."""
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": media_type}
    request = urllib.request.Request(server.url + path, data=body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["detail"]


def main(disk: Path) -> None:
    assert shutil.disk_usage(disk).total < 60_000_000, f"{disk} is no small file system"
    run = make_run(disk, steps=1_000_000)
    requests = f"/api/runs/{run.id}/requests"
    with Application(disk, "serve") as server:
        wait_for_step(run, 40)
        fill(disk, leave=0)
        wait_until(lambda: read_status(run).crowded, "training to wait for room")
        # Fill the space that workers and temporary files have released.
        fill(disk, leave=0)
        names = {path.name for path in disk.iterdir()}
        for _ in range(20):
            assert ask(server, "/api/runs", b"{}") == (507, DISK_FULL)
            assert ask(server, "/api/uploads", b"a text " * 20_000, "text/plain") == (507, DISK_FULL)
            assert ask(server, requests, b'{"kind": "learning_rate", "value": 0.1}') == (507, DISK_FULL)
        # No run was begun; what was tried is in the log of who did what.
        left = {path.name for path in disk.iterdir()} - {".uploads", ".audit.jsonl"}
        assert left == names, left ^ names
        assert server.get(f"/api/runs/{run.id}")["status"]["crowded"]
        assert ask(server, requests, b'{"kind": "pause"}') == (202, "")
        wait_until(lambda: read_status(run).phase == Phase.PAUSED, "the run to be paused")
        assert ask(server, requests, b'{"kind": "stop"}') == (202, "")
        wait_until(lambda: read_status(run).phase == Phase.INTERRUPTED, "the run to be stopped")
        server.wait_until_over(run)
        stopped = read_status(run).step
        log = [line for line in server.said if "disk" in line or "Traceback" in line]
        assert len(log) == 1, server.log
        (disk / "ballast").unlink()
        assert ask(server, requests, b'{"kind": "continue", "steps": 0}') == (202, "")
        wait_for_step(run, stopped + 20)
        server.ask(run, "stop")
        server.wait_until_over(run)
    with StepsReader(run.steps_path) as reader:
        last = reader.newest_step()[1]
        assert [step for step, _ in reader.pulses(1, last, limit=last)] == list(range(1, last + 1))
        assert len(reader.lineage().ranges) == 1
        assert [applied.kind for applied in reader.applied()] == ["pause", "stop", "continue", "stop"]
    print(f"stopped at {stopped} on a full disk, went on to {last}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
