"""A broadcast to 2,000 viewers through a stock nginx, beside the sockets of a class: processor time and bytes of each.

The class's made-up run is written at ten steps a second. `lamplighter broadcast` writes it into a folder, and 2,000 connections
ask nginx for the manifest and the new segment once a second. Then 500 viewers follow such a run over the sockets of a
server. A viewer of files costs the processor time of nginx, one of sockets that of the server with 500 viewers less that
with one. At how many viewers one core of nginx is full is extrapolated from that, not seen.

Loopback only; about two minutes. It needs nginx (Debian: apt-get install nginx).
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.classroom.class_run import ClassRun
from benchmarks.classroom.clients import Crowd
from benchmarks.support.report import report
from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.beat_frames import Beat
from lamplighter.wire.envelope import decode_envelope
from lamplighter.wire.frames import decode
from tests.support.application import Application
from tests.support.classroom.class_client import CLASSROOM, ClassClient
from tests.support.classroom.segment_viewer import split_segment
from tests.support.waiting import wait_until

VIEWERS, SOCKETS, PROCESSES = 2_000, 500, 2
TOKENS, BATCH = 2_400, 160
SECONDS = 30.0
_CONFIG = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{ listen 127.0.0.1:{port}; root {folder}/site; }}
}}
"""


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    if shutil.which("nginx") is None:
        print("broadcast needs nginx: apt-get install nginx", file=sys.stderr)
        return False
    files, sockets = _measure_files(), _measure_sockets()
    share = files["microseconds"] / sockets["microseconds"]
    full = 1e6 / files["microseconds"]
    return all(
        [
            report(
                "broadcast_processor", share, "of a socket's processor time", files=files, sockets=sockets
            ),
            report("broadcast_bytes", files["bytes"], "bytes a second for each viewer"),
            report("broadcast_viewers", full, "viewers fill one core of nginx, extrapolated"),
            report("broadcast_late", files["late"], "s from a step to its file, mean of those shown"),
            report(
                "broadcast_failed", files["failed"], "answers that were no success", answers=files["answers"]
            ),
        ]
    )


def _measure_files() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as made:
        folder = Path(made)
        # nginx's worker runs as another user.
        folder.chmod(0o755)
        site = folder / "site"
        with (
            ClassRun(RunStore(folder / "runs"), TOKENS, BATCH) as written,
            _broadcast(written, site) as writer,
        ):
            wait_until((site / "live" / "manifest.json").exists, "the manifest", 60)
            with _nginx(folder) as (port, worker):
                return _follow(port, worker, writer, site / "live")


def _follow(port: int, worker: psutil.Process, writer: psutil.Process, live: Path) -> dict[str, float]:
    crowds = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.support.segment_viewers",
                *map(str, (port, VIEWERS // PROCESSES, SECONDS)),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for crowd in crowds:
        assert crowd.stdout is not None
        crowd.stdout.readline()
    begun = time.monotonic()
    before = _seconds(worker), _seconds(writer)
    late: list[float] = []
    while time.monotonic() - begun < SECONDS:
        late += _wait_for_segment(live)
    lasted = time.monotonic() - begun
    used, wrote = _seconds(worker) - before[0], _seconds(writer) - before[1]
    said = [json.loads(crowd.communicate()[0]) for crowd in crowds]
    whole = {name: sum(one[name] for one in said) for name in said[0]}
    return {
        "viewers": VIEWERS,
        "microseconds": 1e6 * used / VIEWERS / lasted,
        "nginx_share": used / lasted,
        "writer_share": wrote / lasted,
        "late": sum(late) / len(late),
        **whole,
        "bytes": whole["bytes"] / VIEWERS / lasted,
    }


def _wait_for_segment(live: Path) -> list[float]:
    """Wait for the next segment. Returns the seconds from each of its steps that are shown until now."""
    manifest = json.loads((live / "manifest.json").read_text(encoding="utf-8"))
    segment = live / manifest["name"] / f"{manifest['sequence'] + 1:06}.bin"
    wait_until(segment.exists, "a segment", 20)
    now = time.time()
    parts = [part for _, data in split_segment(segment.read_bytes()) for part in decode_envelope(data)]
    frames = [decode(part) for part in parts if isinstance(part, bytes)]
    return [now - frame.time for frame in frames if isinstance(frame, Beat)]


@contextmanager
def _broadcast(written: ClassRun, site: Path) -> Generator[psutil.Process]:
    run = written.run
    process = psutil.Popen(
        [sys.executable, "-m", "lamplighter", "broadcast", "--runs", str(run.path.parent), run.id, str(site)],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def _nginx(folder: Path) -> Generator[tuple[int, psutil.Process]]:
    """Serve a folder's site. Yields the port, and the process that does the work."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port), encoding="utf-8")
    process = psutil.Popen(["nginx", "-c", str(config), "-e", str(folder / "error.log")])
    try:
        wait_until(lambda: bool(process.children()), "nginx", 10)
        yield port, process.children()[0]
    finally:
        process.terminate()
        process.wait()


def _measure_sockets() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as made:
        runs = Path(made)
        with (
            ClassRun(RunStore(runs), TOKENS, BATCH) as written,
            Application(runs, "serve", *CLASSROOM) as application,
        ):
            server = psutil.Process(application.process.pid)
            client = ClassClient(application)
            port = int(client.url.rpartition(":")[2])
            cookies = [_join(client) for _ in range(SOCKETS)]
            shares, size = [], 0.0
            for count in (1, SOCKETS):
                orders = [
                    {
                        "port": port,
                        "run": written.run.id,
                        "cookies": cookies[:count][each::PROCESSES],
                        "plain": 0,
                    }
                    for each in range(min(count, PROCESSES))
                ]
                crowd = Crowd(orders)
                time.sleep(3)
                crowd.count()
                before, begun = _seconds(server), time.monotonic()
                time.sleep(SECONDS)
                lasted = time.monotonic() - begun
                shares.append((_seconds(server) - before) / lasted)
                tally, _ = crowd.end()
                size = tally.bytes / lasted / count
    alone, together = shares
    return {
        "viewers": SOCKETS,
        "microseconds": 1e6 * (together - alone) / (SOCKETS - 1),
        "bytes": size,
        "server_share": together,
        "server_share_of_one": alone,
    }


def _join(client: ClassClient) -> str:
    assert client.join() == 204
    return client.cookie


def _seconds(process: psutil.Process) -> float:
    """Return the processor time that a process has used."""
    return sum(process.cpu_times()[:2])
